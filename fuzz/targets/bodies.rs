#![no_main]

libfuzzer_sys::fuzz_target!(init: vigile_fuzz::prepare(vigile_fuzz::bodies), |data: &[u8]| {
    vigile_fuzz::bodies(data);
});
