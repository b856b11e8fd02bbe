//! The W3C trace context: what identifies a span across processes.

use std::fmt;

use outrigger_base_clock::Entropy;

use super::state::TraceState;

/// The identity of a span and of the trace it belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct TraceContext {
    /// The trace.
    pub trace_id: TraceId,
    /// The span in it.
    pub span_id: SpanId,
    /// The flags as received; see [`SAMPLED`](TraceContext::SAMPLED).
    pub flags: u8,
    /// What vendors hand along.
    pub state: TraceState,
}

impl TraceContext {
    /// No span at all; [`traceparent`](TraceContext::traceparent) writes it as zeros.
    pub const NONE: Self = Self {
        trace_id: TraceId([0; 16]),
        span_id: SpanId([0; 8]),
        flags: 0,
        state: TraceState::EMPTY,
    };

    /// The flag that says that this trace is recorded.
    pub const SAMPLED: u8 = 1;

    /// Reads a `traceparent` header: `00-<32 hex>-<16 hex>-<2 hex>`. `None` for anything else, upon which a trace
    /// starts anew (W3C Trace Context, "Processing Model").
    ///
    /// Versions above 00 may carry more fields; version ff is invalid. As the system we replace does, upper-case hex
    /// is let through in the version and the flags, and of longer flags the first byte counts.
    pub fn parse(traceparent: &str) -> Option<Self> {
        let mut fields = traceparent.split('-');
        let [version] = hex_bytes::<1>(fields.next()?, Case::Any)?;
        let trace_id = TraceId(hex_bytes(fields.next()?, Case::Lower)?);
        let span_id = SpanId(hex_bytes(fields.next()?, Case::Lower)?);
        let flags = first_byte(fields.next()?)?;
        if version == u8::MAX || (version == 0 && fields.next().is_some()) {
            return None;
        }
        let context = Self {
            trace_id,
            span_id,
            flags,
            state: TraceState::EMPTY,
        };
        context.is_valid().then_some(context)
    }

    /// Reads both headers. A malformed `tracestate` is dropped and does not spoil the `traceparent`.
    pub fn from_headers(traceparent: &str, tracestate: Option<&str>) -> Option<Self> {
        let mut context = Self::parse(traceparent)?;
        context.state = tracestate.and_then(TraceState::parse).unwrap_or_default();
        Some(context)
    }

    /// Whether both ids are there.
    pub fn is_valid(&self) -> bool {
        self.trace_id.0 != [0; 16] && self.span_id.0 != [0; 8]
    }

    /// Whether the trace is recorded.
    pub fn is_sampled(&self) -> bool {
        self.flags & Self::SAMPLED != 0
    }

    /// The `traceparent` header, version 00.
    pub fn traceparent(&self) -> Traceparent {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        write_hex(&mut text[3..35], &self.trace_id.0);
        write_hex(&mut text[36..52], &self.span_id.0);
        write_hex(&mut text[53..55], &[self.flags]);
        Traceparent(text)
    }

    /// The `traceparent` that [`NONE`](Self::NONE) has. Receivers know it as no trace (W3C Trace Context 3.2.2.3).
    pub const NO_TRACEPARENT: &'static str = "00-00000000000000000000000000000000-0000000000000000-00";

    /// The `tracestate` header, unless there is none or it is longer than receivers must take.
    pub fn tracestate(&self) -> Option<&str> {
        self.state.header()
    }
}

/// The 16 bytes that name a trace.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId(pub [u8; 16]);

/// The 8 bytes that name a span in its trace.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanId(pub [u8; 8]);

impl TraceId {
    /// A random id, never zero.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self(nonzero(entropy))
    }
}

impl SpanId {
    /// A random id, never zero.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self(nonzero(entropy))
    }
}

/// The text of a `traceparent` header, on the stack.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Traceparent([u8; 55]);

impl Traceparent {
    /// The text.
    pub fn as_str(&self) -> &str {
        // Only ASCII is ever written into it.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display_hex(&self.0, f)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display_hex(&self.0, f)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display_hex(&self.0, f)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display_hex(&self.0, f)
    }
}

fn nonzero<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    if bytes == [0; N] {
        // Zero means "no id". A source that answers it twice would be broken, so asking again is no help.
        bytes[N - 1] = 1;
    }
    bytes
}

#[derive(Clone, Copy, PartialEq)]
enum Case {
    Lower,
    Any,
}

fn hex_bytes<const N: usize>(text: &str, case: Case) -> Option<[u8; N]> {
    let text = text.as_bytes();
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = hex_digit(pair[0], case)? << 4 | hex_digit(pair[1], case)?;
    }
    Some(bytes)
}

/// The first byte of a hex text of any even length above zero.
fn first_byte(text: &str) -> Option<u8> {
    let text = text.as_bytes();
    if text.is_empty() || !text.len().is_multiple_of(2) {
        return None;
    }
    text.iter().try_for_each(|c| hex_digit(*c, Case::Any).map(drop))?;
    Some(hex_digit(text[0], Case::Any)? << 4 | hex_digit(text[1], Case::Any)?)
}

fn hex_digit(c: u8, case: Case) -> Option<u8> {
    match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        b'A'..=b'F' if case == Case::Any => Some(c - b'A' + 10),
        _ => None,
    }
}

fn write_hex(out: &mut [u8], bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

fn display_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}
