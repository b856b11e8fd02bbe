//! Sharded atomic cells: additions from different threads rarely meet on a cache line.

use std::sync::atomic::{AtomicU64, Ordering};

/// Cells on one cache line. 64 bytes is the line of every machine we build for; 128 would double the memory of each
/// series to spare only the adjacent-line prefetcher.
const CELLS_PER_LINE: usize = 8;

/// More shards than this buy nothing: a scrape reads them all, and each series pays for them.
pub(crate) const MAX_SHARDS: usize = 8;

/// One cache line of cells.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Line([AtomicU64; CELLS_PER_LINE]);

/// `shards` copies of a row of cells; a thread always writes to the same copy.
#[derive(Debug)]
pub(crate) struct Cells {
    lines: Box<[Line]>,
    /// Lines in one copy.
    row: usize,
    /// Number of copies minus one; the number is a power of two.
    mask: usize,
}

impl Cells {
    /// `cells` cells, all zero, in `shards` copies (rounded up to a power of two, at most [`MAX_SHARDS`]).
    pub(crate) fn new(cells: usize, shards: usize) -> Self {
        let shards = shards.clamp(1, MAX_SHARDS).next_power_of_two();
        let row = cells.div_ceil(CELLS_PER_LINE).max(1);
        Self {
            lines: std::iter::repeat_with(Line::default).take(row * shards).collect(),
            row,
            mask: shards - 1,
        }
    }

    /// This thread's copy of cell `index`.
    pub(crate) fn mine(&self, index: usize) -> &AtomicU64 {
        self.at(shard_of_this_thread() & self.mask, index)
    }

    /// The sum of all copies of cell `index`, as integers.
    pub(crate) fn total(&self, index: usize) -> u64 {
        (0..=self.mask).fold(0, |sum, shard| {
            sum.wrapping_add(self.at(shard, index).load(Ordering::Relaxed))
        })
    }

    /// The sum of all copies of cell `index`, as bits of doubles.
    pub(crate) fn total_f64(&self, index: usize) -> f64 {
        (0..=self.mask)
            .map(|shard| f64::from_bits(self.at(shard, index).load(Ordering::Relaxed)))
            .sum()
    }

    fn at(&self, shard: usize, index: usize) -> &AtomicU64 {
        &self.lines[shard * self.row + index / CELLS_PER_LINE].0[index % CELLS_PER_LINE]
    }
}

thread_local! {
    /// Only its address is of interest: it differs between threads that run at the same time.
    static HERE: u8 = const { 0 };
}

/// A number that spreads threads over shards, without a global counter to hand numbers out.
fn shard_of_this_thread() -> usize {
    /// 2^64 divided by the golden ratio: the high bits of the product depend on all bits of the address.
    const FIBONACCI: u64 = 0x9E37_79B9_7F4A_7C15;
    let address = HERE.with(|here| std::ptr::from_ref(here).addr());
    ((address as u64 >> 6).wrapping_mul(FIBONACCI) >> 56) as usize
}
