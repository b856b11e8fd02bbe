//! Whether bytes read as the protobuf form of a CloudEvent, without a decoder for it.
//!
//! The peers decode the message and look only at whether that worked. A protobuf decoder skips what it does not know, so
//! the question comes down to: is the wire format sound, and are the texts of the known fields UTF-8.

/// Field numbers of `io.cloudevents.v1.CloudEvent` whose content is text: id, source, spec_version, type, text_data.
const TEXT_FIELDS: [u64; 5] = [1, 2, 3, 4, 7];
/// The highest field number of the wire format.
const MAX_FIELD: u64 = (1 << 29) - 1;
/// How deep groups may nest, as in the common decoders.
const MAX_GROUPS: usize = 100;

/// Whether `data` is a sound message whose known texts are texts. No bytes at all are an empty message.
pub(super) fn reads_as_event(data: &[u8]) -> bool {
    walk(data).is_some()
}

fn walk(mut rest: &[u8]) -> Option<()> {
    let mut groups: Vec<u64> = Vec::new();
    while !rest.is_empty() {
        let key = varint(&mut rest)?;
        let (field, wire_type) = (key >> 3, key & 7);
        if field == 0 || field > MAX_FIELD {
            return None;
        }
        match wire_type {
            0 => drop(varint(&mut rest)?),
            1 => drop(take(&mut rest, 8)?),
            2 => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                let content = take(&mut rest, length)?;
                if groups.is_empty() && TEXT_FIELDS.contains(&field) {
                    std::str::from_utf8(content).ok()?;
                }
            }
            3 if groups.len() < MAX_GROUPS => groups.push(field),
            4 if groups.pop()? == field => (),
            5 => drop(take(&mut rest, 4)?),
            _ => return None,
        }
    }
    groups.is_empty().then_some(())
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, tail) = rest.split_first()?;
        *rest = tail;
        // The tenth byte has room for one bit.
        if shift == 63 && byte > 1 {
            return None;
        }
        value |= u64::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (content, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(content)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sound_messages_pass_and_broken_ones_do_not() {
        assert!(reads_as_event(b""));
        assert!(reads_as_event(b"\x0a\x01a\x12\x01b\x1a\x031.0\x22\x01t"));
        assert!(
            reads_as_event(b"\x32\x02\xff\xfe"),
            "binary_data may be any bytes"
        );
        assert!(!reads_as_event(b"\x0a\x02\xff\xfe"), "an id must be text");
        assert!(!reads_as_event(b"\x0a\x05ab"), "a length beyond the end");
        assert!(!reads_as_event(b"\x00"), "field number 0");
        assert!(!reads_as_event(b"hello world"), "a text is seldom a message");
        assert!(reads_as_event(b"\x4b\x08\x01\x4c"), "a group");
        assert!(!reads_as_event(b"\x4b\x08\x01"), "a group without its end");
    }

    proptest! {
        #[test]
        fn any_bytes_get_an_answer(bytes in any::<Vec<u8>>()) {
            reads_as_event(&bytes);
        }
    }
}
