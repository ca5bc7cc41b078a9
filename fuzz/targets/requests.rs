#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vigile_fuzz::requests(data));
