//! The binary form of a trace context, as OpenCensus put it into gRPC metadata (`grpc-trace-bin`).
//!
//! A version byte of zero, then fields: `0` and the 16 bytes of the trace id, `1` and the 8 bytes of the span id, `2`
//! and a byte of flags. The trace state has no place in it.

use super::context::{SpanId, TraceContext, TraceId};

/// Bytes of the binary form.
const LEN: usize = 29;
const FIELD_TRACE_ID: u8 = 0;
const FIELD_SPAN_ID: u8 = 1;
const FIELD_FLAGS: u8 = 2;

impl TraceContext {
    /// Reads the binary form; `None` when it is not one, or lacks an id.
    pub fn from_binary(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(&[0])?;
        let mut context = Self {
            trace_id: TraceId(take(&mut rest, FIELD_TRACE_ID)?),
            ..Self::NONE
        };
        if let Some(id) = take(&mut rest, FIELD_SPAN_ID) {
            context.span_id = SpanId(id);
        }
        if let Some([flags]) = take(&mut rest, FIELD_FLAGS) {
            context.flags = flags;
        }
        context.is_valid().then_some(context)
    }

    /// The binary form; `None` when there is no span to tell of.
    pub fn to_binary(&self) -> Option<[u8; LEN]> {
        self.is_valid().then(|| self.binary())
    }

    /// The binary form, with zeros for ids that are not there.
    pub fn binary(&self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        bytes[1] = FIELD_TRACE_ID;
        bytes[2..18].copy_from_slice(&self.trace_id.0);
        bytes[18] = FIELD_SPAN_ID;
        bytes[19..27].copy_from_slice(&self.span_id.0);
        bytes[27] = FIELD_FLAGS;
        bytes[28] = self.flags;
        bytes
    }
}

/// Takes a field off the front; leaves `rest` alone when another stands there.
fn take<const N: usize>(rest: &mut &[u8], field: u8) -> Option<[u8; N]> {
    let (value, tail) = rest.strip_prefix(&[field])?.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*value)
}
