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

/// Nanoseconds on a processor so far, of all threads of a process (`/proc/PID/task/*/schedstat`, field 1).
pub fn used(pid: u32) -> io::Result<u64> {
    let mut sum = 0;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        let used = text.split_whitespace().next().and_then(|field| field.parse::<u64>().ok());
        sum += used.ok_or_else(|| io::Error::other("this kernel keeps no schedstat"))?;
    }
    Ok(sum)
}

/// Asks a process to end its work and say what it did.
pub fn interrupt(pid: u32) -> io::Result<()> {
    let pid = Pid::from_raw(pid.try_into().map_err(io::Error::other)?);
    let pid = pid.ok_or_else(|| io::Error::other("no process"))?;
    Ok(rustix::process::kill_process(pid, rustix::process::Signal::INT)?)
}
