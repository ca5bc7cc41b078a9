//! The commands, one to a file. Each is a function from its arguments to what is printed.

pub mod check;
pub mod demo;
pub mod explain;
pub mod init;
pub mod key;
pub mod pages;
pub mod reasons;
pub mod render;
pub mod token;
pub mod unit;
mod which;

use std::io::Read;

use crate::check::{Format, LARGEST, read};
use crate::policy::Environment;
use crate::yaml::Yaml;
use vigile_policy::shown_variable;

/// What a command prints, and how it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// For a pipe.
    pub stdout: String,
    /// For a person.
    pub stderr: String,
    /// The exit status.
    pub exit: u8,
}

impl Output {
    fn of(stdout: String) -> Self {
        Self { stdout, ..Self::default() }
    }
}

/// Why a command gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Its arguments contradict each other, or say nothing: exit status 64.
    Usage(String),
    /// It could not be done: exit status 1.
    Failed(String),
}

impl From<Problem> for Output {
    fn from(problem: Problem) -> Self {
        let (text, exit) = match problem {
            Problem::Usage(text) => (text, 64),
            Problem::Failed(text) => (text, 1),
        };
        Self { stdout: String::new(), stderr: format!("vigile: {text}\n"), exit }
    }
}

impl From<Result<Output, Problem>> for Output {
    fn from(result: Result<Self, Problem>) -> Self {
        result.unwrap_or_else(Self::from)
    }
}

macro_rules! commands {
    ($($name:ident $module:ident)+) => {
        /// A command with its arguments.
        #[derive(clap::Subcommand)]
        pub enum Command {
            $(#[allow(missing_docs, reason = "the help says it")] $name($module::Arguments),)+
        }

        impl Command {
            /// Runs it.
            pub fn run(self) -> Output {
                match self {
                    $(Self::$name(arguments) => Output::from(arguments.run()),)+
                }
            }
        }
    };
}

commands! {
    Check check
    Explain explain
    Init init
    Render render
    Unit unit
    Token token
    Key key
    Pages pages
    Reasons reasons
    Demo demo
}

/// A file's bytes; `-` is the standard input. Of one that has no end, or is larger than any config, enough
/// to say so.
fn contents(file: &str) -> std::io::Result<Vec<u8>> {
    let from: Box<dyn Read> = match file {
        "-" => Box::new(std::io::stdin().lock()),
        file => Box::new(std::fs::File::open(file)?),
    };
    let mut bytes = Vec::new();
    from.take(LARGEST.saturating_add(1) as u64).read_to_end(&mut bytes).map(|_| bytes)
}

/// A file's document, where it is one.
fn document(file: &str) -> Result<Yaml, Problem> {
    let failed = |problem: String| Problem::Failed(format!("{file}: {problem}"));
    let bytes = contents(file).map_err(|error| failed(error.to_string()))?;
    let read = read(&bytes, Format::of(file));
    read.map_err(|error| failed(format!("{}: {}", error.place, error.problem)))
}

/// The variables of this process that are text.
fn environment() -> Environment {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

/// The variable of this process, where it is set and text.
fn variable(name: &str) -> Result<String, Problem> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_name) {
        return Err(Problem::Usage(
            "this is no name of a variable: it is named here, and its value never stands in the arguments".to_owned(),
        ));
    }
    std::env::var(name).map_err(|_| {
        Problem::Failed(format!("the variable {} is not set, or no text", shown_variable(name)))
    })
}

/// A line without its end.
fn without_newline(text: &str) -> &str {
    text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line))
}
