#![no_main]

libfuzzer_sys::fuzz_target!(init: vigile_fuzz::prepare(vigile_fuzz::claims), |data: &[u8]| {
    vigile_fuzz::claims(data);
});
