//! `nginx-unit/*.json`.
