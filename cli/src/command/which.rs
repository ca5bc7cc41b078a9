//! Which policy of a file is meant.

use super::Problem;
use crate::policy::Policy;

/// How a command is told.
#[derive(clap::Args)]
pub(super) struct Which {
    /// Which policy of the file, from 1
    #[arg(long, value_name = "N", conflicts_with = "module")]
    policy: Option<usize>,

    /// The policy that has this module
    #[arg(long, value_name = "NAME")]
    module: Option<String>,
}

impl Which {
    /// The policy that is meant.
    pub(super) fn of<'p, 'y>(&self, policies: &'p [Policy<'y>]) -> Result<&'p Policy<'y>, Problem> {
        let has =
            |policy: &&Policy<'_>, name: &str| names(policy).iter().any(|known| known == name);
        match (self.policy, self.module.as_deref(), policies) {
            (_, _, []) => Err(Problem::Failed("there is no policy in this file".to_owned())),
            (Some(number), _, _) => {
                number.checked_sub(1).and_then(|index| policies.get(index)).ok_or_else(|| {
                    Problem::Usage(format!("there is no policy {number}\n{}", list(policies)))
                })
            }
            (None, Some(name), _) => {
                policies.iter().find(|policy| has(policy, name)).ok_or_else(|| {
                    Problem::Usage(format!("no policy has this module\n{}", list(policies)))
                })
            }
            (None, None, [only]) => Ok(only),
            (None, None, _) => Err(Problem::Usage(format!(
                "there are several policies: choose one by --policy or --module\n{}",
                list(policies)
            ))),
        }
    }
}

fn names(policy: &Policy<'_>) -> Vec<String> {
    let modules = policy.modules();
    let names = modules.iter().filter_map(|module| module.get("name")?.text().map(str::to_owned));
    names.collect()
}

fn list(policies: &[Policy<'_>]) -> String {
    let lines = policies.iter().enumerate().map(|(index, policy)| {
        let number = index.saturating_add(1);
        format!("  {number}  line {}: {}", policy.place_of("").line, names(policy).join(", "))
    });
    lines.collect::<Vec<_>>().join("\n")
}
