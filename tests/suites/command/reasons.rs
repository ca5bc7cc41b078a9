//! `vigile reasons`, and the file that it generates.

use vigile_policy::Reason;

use super::vigile;

#[test]
fn every_reason_is_listed() {
    let table = vigile(&["reasons"], &[]).fine();
    assert_eq!(table.lines().count(), Reason::ALL.len());
    for reason in Reason::ALL {
        let line = table.lines().find(|line| line.split(' ').next() == Some(reason.code()));
        assert!(line.is_some(), "{reason}");
    }
}

#[test]
fn docs_reasons_md_is_fresh() {
    let generated = vigile(&["reasons", "--markdown"], &[]).fine();
    let file = vigile_tests::policies::project().join("docs/reasons.md");
    let written = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        written == generated,
        "docs/reasons.md is stale: vigile reasons --markdown > docs/reasons.md"
    );
    for reason in Reason::ALL {
        assert_eq!(generated.matches(&format!("| `{reason}` |")).count(), 1, "{reason}");
    }
}
