#![no_main]

libfuzzer_sys::fuzz_target!(init: vigile_fuzz::prepare(vigile_fuzz::headers), |data: &[u8]| {
    vigile_fuzz::headers(data);
});
