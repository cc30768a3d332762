//! Instants on the wire: microseconds since 1970-01-01T00:00:00Z as a CBOR integer.

use jiff::Timestamp;
use minicbor::{Decoder, Encoder};

/// Encodes `at` in microseconds; finer digits are cut.
pub fn encode<C, W: minicbor::encode::Write>(
    at: &Timestamp,
    e: &mut Encoder<W>,
    _: &mut C,
) -> Result<(), minicbor::encode::Error<W::Error>> {
    e.i64(at.as_microsecond())?.ok()
}

/// Decodes microseconds; a value outside the calendar is an error.
pub fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Timestamp, minicbor::decode::Error> {
    Timestamp::from_microsecond(d.i64()?)
        .map_err(|_| minicbor::decode::Error::message("microseconds outside the calendar"))
}

/// As above, for a field that may be absent. The signatures are those that the CBOR derive calls.
pub mod option {
    use jiff::Timestamp;
    use minicbor::{Decoder, Encoder};

    /// Encodes, absent as null.
    pub fn encode<C, W: minicbor::encode::Write>(
        at: &Option<Timestamp>,
        e: &mut Encoder<W>,
        c: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        match at {
            Some(at) => super::encode(at, e, c),
            None => e.null()?.ok(),
        }
    }

    /// Decodes, null as absent.
    pub fn decode<C>(
        d: &mut Decoder<'_>,
        c: &mut C,
    ) -> Result<Option<Timestamp>, minicbor::decode::Error> {
        if d.datatype()? == minicbor::data::Type::Null {
            d.null()?;
            return Ok(None);
        }
        super::decode(d, c).map(Some)
    }

    /// What a missing field means.
    pub fn nil() -> Option<Option<Timestamp>> {
        Some(None)
    }

    /// Whether the field may be left out.
    pub fn is_nil(at: &Option<Timestamp>) -> bool {
        at.is_none()
    }
}
