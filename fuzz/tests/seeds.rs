//! Every target takes what it begins with: a target that no longer fits the core is found here, without a fuzzer.

use vigile_fuzz::{TARGETS, seeds};

#[test]
fn each_target_takes_its_seeds() {
    for (name, target) in TARGETS {
        let seeds = seeds::of(name);
        assert!(!seeds.is_empty(), "{name} begins with nothing");
        seeds.iter().for_each(|seed| target(seed));
        target(b"");
        target(b"\xff\n=\n{");
    }
}
