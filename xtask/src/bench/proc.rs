//! What the kernel says about processes: CPU time and resident memory.

use std::{fs, process};

use super::failure::{Failure, Result, Tried};

/// Kernel ticks a second as `/proc` counts them: 100 on every Linux, whatever the kernel's own rate.
const TICKS: f64 = 100.0;

/// Resident memory in MB (10⁶ bytes).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Memory {
    /// All of it.
    pub(crate) resident: f64,
    /// What is the process's own and not a file's pages.
    pub(crate) anonymous: f64,
}

/// User and system seconds of a process, without its children.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).tried(|| format!("reading {path}"))?;
    let fields = stat_fields(&text).ok_or_else(|| Failure::new(format!("{path} has an unknown form")))?;
    Ok((fields[0] + fields[1]) as f64 / TICKS)
}

/// User, system, children's user and children's system ticks. The name before them may have blanks and parentheses.
fn stat_fields(text: &str) -> Option<[u64; 4]> {
    let mut fields = text[text.rfind(')')? + 1..].split_whitespace().skip(11);
    let mut next = || fields.next()?.parse().ok();
    Some([next()?, next()?, next()?, next()?])
}

/// Resident memory now.
pub(crate) fn memory(pid: u32) -> Result<Memory> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).tried(|| format!("reading {path}"))?;
    let field = |name: &str| {
        megabytes(&text, name)
            .ok_or_else(|| Failure::new(format!("{path} has no {name}: the process has ended")))
    };
    Ok(Memory {
        resident: field("VmRSS:")?,
        anonymous: field("RssAnon:")?,
    })
}

fn megabytes(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find(|line| line.starts_with(name))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1_024.0 / 1e6)
}

/// CPU seconds that the whole machine was busy, and those that processes of ours took: the rest is somebody else's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    busy: f64,
    ours: f64,
    total: f64,
}

impl Usage {
    /// Now; `live` are the processes of ours that have not been waited for.
    pub(crate) fn now(live: &[u32]) -> Option<Self> {
        let stat = fs::read_to_string("/proc/stat").ok()?;
        let ticks: Vec<u64> = stat
            .lines()
            .next()?
            .split_whitespace()
            .skip(1)
            .filter_map(|field| field.parse().ok())
            .collect();
        // user nice system idle iowait irq softirq steal; guest times are in user and nice already. Interrupts belong
        // to nobody, and on loopback they are the measured traffic's own.
        let total: u64 = ticks.iter().take(8).sum();
        let busy: u64 = ticks.iter().take(3).sum();
        let own = fs::read_to_string(format!("/proc/{}/stat", process::id())).ok()?;
        let own: u64 = stat_fields(&own)?.iter().sum();
        let live: f64 = live.iter().filter_map(|pid| cpu_seconds(*pid).ok()).sum();
        Some(Self {
            busy: busy as f64 / TICKS,
            ours: own as f64 / TICKS + live,
            total: total as f64 / TICKS,
        })
    }

    /// The share of the machine that others took between `earlier` and this.
    pub(crate) fn foreign_since(&self, earlier: &Self) -> f64 {
        let busy = self.busy - earlier.busy;
        let ours = self.ours - earlier.ours;
        let total = (self.total - earlier.total).max(f64::MIN_POSITIVE);
        ((busy - ours) / total).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_name_with_parentheses() {
        let stat = "12 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 100 20 3 4 20 0 1 0";
        assert_eq!(stat_fields(stat), Some([100, 20, 3, 4]));
        assert_eq!(stat_fields("12 (a"), None);
    }

    #[test]
    fn reads_memory() {
        let status = "Name:\tx\nVmRSS:\t   2000 kB\nRssAnon:\t  1000 kB\n";
        assert_eq!(megabytes(status, "VmRSS:"), Some(2.048));
        assert_eq!(megabytes(status, "VmHWM:"), None);
    }

    #[test]
    fn sees_itself() {
        assert!(memory(process::id()).unwrap().resident > 0.0);
        assert!(cpu_seconds(process::id()).is_ok());
        assert!(memory(u32::MAX).is_err());
    }
}
