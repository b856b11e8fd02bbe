//! Random bytes.

use std::{
    cell::RefCell,
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use thread_local::ThreadLocal;
use uuid::Uuid;

/// A source of random bytes.
pub trait Entropy: Send + Sync + fmt::Debug {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// A random (version 4) UUID.
pub fn uuid_v4(entropy: &dyn Entropy) -> Uuid {
    let mut bytes = [0u8; 16];
    entropy.fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// A number in `0.0..1.0`, for jitter and sampling.
pub fn fraction(entropy: &dyn Entropy) -> f64 {
    let mut bytes = [0u8; 8];
    entropy.fill(&mut bytes);
    // The 53 bits that a double holds exactly.
    (u64::from_le_bytes(bytes) >> 11) as f64 / (1u64 << 53) as f64
}

/// The generator of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        // A kernel without a random source cannot run TLS either; there is nothing sensible to go on with.
        #[allow(clippy::disallowed_methods, reason = "this is the one place that may ask")]
        getrandom::fill(bytes).expect("the operating system has a random source");
    }
}

/// Bytes that are taken from the operating system at once and handed out in pieces.
const BUFFER: usize = 1024;

/// The generator of the operating system, asked for many bytes at a time: each thread has some at hand, so that an
/// identifier costs no call of the kernel.
#[derive(Default)]
pub struct BufferedEntropy(ThreadLocal<RefCell<Buffer>>);

struct Buffer {
    bytes: [u8; BUFFER],
    used: usize,
}

impl Default for Buffer {
    fn default() -> Self {
        Self {
            bytes: [0; BUFFER],
            used: BUFFER,
        }
    }
}

impl Entropy for BufferedEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() > BUFFER {
            return SystemEntropy.fill(bytes);
        }
        let mut buffer = self.0.get_or_default().borrow_mut();
        if buffer.used + bytes.len() > BUFFER {
            SystemEntropy.fill(&mut buffer.bytes);
            buffer.used = 0;
        }
        let from = buffer.used;
        buffer.used += bytes.len();
        bytes.copy_from_slice(&buffer.bytes[from..from + bytes.len()]);
        // What was handed out must not be found in memory later.
        buffer.bytes[from..from + bytes.len()].fill(0);
    }
}

impl fmt::Debug for BufferedEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BufferedEntropy")
    }
}

/// A repeatable sequence (SplitMix64), for tests and simulation only.
#[derive(Debug)]
pub struct SeededEntropy(AtomicU64);

impl SeededEntropy {
    /// The sequence that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    fn next(&self) -> u64 {
        let mut z = self
            .0
            .fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed)
            .wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = self.next().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_repeats() {
        let (a, b) = (SeededEntropy::new(7), SeededEntropy::new(7));
        assert_eq!(uuid_v4(&a), uuid_v4(&b));
        assert_ne!(uuid_v4(&a), uuid_v4(&a));
        assert_eq!(uuid_v4(&a).get_version_num(), 4);
    }

    #[test]
    fn buffered_bytes_are_handed_out_once() {
        let entropy = BufferedEntropy::default();
        let ids: std::collections::HashSet<_> = (0..1000).map(|_| uuid_v4(&entropy)).collect();
        assert_eq!(ids.len(), 1000);
        let mut large = [0u8; 4096];
        entropy.fill(&mut large);
        assert!(large.iter().any(|byte| *byte != 0));
    }

    #[test]
    fn fractions_stay_below_one() {
        let entropy = SeededEntropy::new(1);
        assert!(
            (0..1000)
                .map(|_| fraction(&entropy))
                .all(|f| (0.0..1.0).contains(&f))
        );
    }
}
