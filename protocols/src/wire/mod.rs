//! How messages travel: the envelope (CBOR in COSE_Sign1) and the MQTT topics.

mod envelope;
mod topic;

pub use envelope::{
    EnvelopeError, KeyId, MessageType, PROTOCOL_VERSION, Sealed, SigningKey, VerifyingKey, seal,
};
pub use topic::{ParseTopicError, Topic, dispatcher_filters, terminal_filters};

/// Encodes a message as CBOR. Infallible for this crate's types.
pub fn encode<T: minicbor::Encode<()>>(message: &T) -> Vec<u8> {
    minicbor::to_vec(message).expect("writing into a Vec cannot fail")
}

/// Decodes exactly one message; bytes after it are an error.
pub fn decode<'b, T: minicbor::Decode<'b, ()>>(
    bytes: &'b [u8],
) -> Result<T, minicbor::decode::Error> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let message = decoder.decode()?;
    if decoder.position() != bytes.len() {
        return Err(minicbor::decode::Error::message("bytes after the message"));
    }
    Ok(message)
}
