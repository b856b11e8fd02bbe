//! What a command was asked for, on the standard output.

use std::io::{self, ErrorKind, Write};

/// The standard output did not take what was written.
#[derive(Debug, thiserror::Error)]
pub(super) enum PrintError {
    /// Whoever read it has seen enough (`outrigger list | head -1`): no failure, and nobody is left to be told.
    #[error("the reader of the standard output is gone")]
    Closed,
    /// It failed.
    #[error("could not write to the standard output")]
    Failed(#[source] io::Error),
}

impl From<io::Error> for PrintError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Failed(error),
        }
    }
}

/// Writes all of it, to the last byte: what waits in a buffer at the end of the program would fail unseen.
pub(super) fn print(data: &[u8]) -> Result<(), PrintError> {
    let mut out = io::stdout().lock();
    out.write_all(data)?;
    Ok(out.flush()?)
}

/// Whether a command only ended because its output is not read any more.
pub(super) fn is_closed(error: &(dyn std::error::Error + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(PrintError::Closed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_closed_pipe_of_the_output_is_no_failure() {
        let broken = || io::Error::from(ErrorKind::BrokenPipe);
        assert!(is_closed(&PrintError::from(broken())));
        assert!(!is_closed(&PrintError::from(io::Error::from(
            ErrorKind::StorageFull
        ))));
        // Of a sidecar that went away, say.
        assert!(!is_closed(&broken()));
    }
}
