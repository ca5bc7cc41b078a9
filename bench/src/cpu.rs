//! The processors, and what a process used of them.

use std::io;

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// One core for Envoy, another for whoever asks it.
#[derive(Clone, Copy, Debug)]
pub struct Cores {
    all: CpuSet,
    envoy: CpuSet,
    load: CpuSet,
}

impl Cores {
    /// The first two of those that this process may use.
    ///
    /// # Errors
    /// Where there is one alone: the load would cost Envoy its cache and its time.
    pub fn find() -> Result<Self, String> {
        let all = sched_getaffinity(None).map_err(|error| error.to_string())?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core)).map(|core| {
            let mut one = CpuSet::new();
            one.set(core);
            one
        });
        match (cores.next(), cores.next()) {
            (Some(envoy), Some(load)) => Ok(Self { all, envoy, load }),
            _ => Err("two cores are needed: one for Envoy, one for the load".to_owned()),
        }
    }

    /// What `start` starts runs on Envoy's core; this thread, and what it starts later, on the other.
    pub fn on_envoys<T>(&self, start: impl FnOnce() -> T) -> T {
        self.on(&self.envoy, start)
    }

    /// The same where nothing is kept from any core.
    pub fn on_all<T>(&self, start: impl FnOnce() -> T) -> T {
        self.on(&self.all, start)
    }

    fn on<T>(&self, cores: &CpuSet, start: impl FnOnce() -> T) -> T {
        let pin = |cores| sched_setaffinity(None, cores).expect("cores of this process");
        pin(cores);
        let started = start();
        pin(&self.load);
        started
    }
}

/// Nanoseconds of all threads of a process, so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    /// On a processor.
    pub ran: u64,
    /// Ready to run, while something else had the processor.
    pub waited: u64,
}

/// From `/proc/PID/task/*/schedstat`, the first two fields.
pub fn used(pid: u32) -> io::Result<Used> {
    let mut sum = Used::default();
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        let mut fields = text.split_whitespace().map_while(|field| field.parse::<u64>().ok());
        let (Some(ran), Some(waited)) = (fields.next(), fields.next()) else {
            return Err(io::Error::other("this kernel keeps no schedstat"));
        };
        sum = Used { ran: sum.ran + ran, waited: sum.waited + waited };
    }
    Ok(sum)
}

/// Asks a process to end its work and say what it did.
pub fn interrupt(pid: u32) -> io::Result<()> {
    let pid = Pid::from_raw(pid.try_into().map_err(io::Error::other)?);
    let pid = pid.ok_or_else(|| io::Error::other("no process"))?;
    Ok(rustix::process::kill_process(pid, rustix::process::Signal::INT)?)
}
