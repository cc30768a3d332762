//! One name from the press to the horn: the trace of the request that is being worked on, for
//! problems, log lines and orders. Taken over from the caller's `traceparent` (W3C Trace Context)
//! or drawn.

use std::fmt;

/// Names one request, here and in every system that it passed through. Never all zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace([u8; 16]);

tokio::task_local! {
    static CURRENT: Trace;
}

impl Trace {
    /// A new one of these random bytes.
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The caller's: `00-<32 hex digits>-<16 hex digits>-<2 hex digits>`, lower case. A later
    /// version may say more behind that. `None` for anything else.
    pub fn from_traceparent(header: &str) -> Option<Self> {
        let mut fields = header.trim().split('-');
        let mut field = |length: usize| {
            let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            fields.next().filter(|field| field.len() == length && field.bytes().all(is_digit))
        };
        let (version, id, parent, _) = (field(2)?, field(32)?, field(16)?, field(2)?);
        let has_more = fields.next().is_some();
        if version == "ff" || (version == "00" && has_more) || parent.bytes().all(|b| b == b'0') {
            return None;
        }
        let mut bytes = [0; 16];
        hex::decode_to_slice(id, &mut bytes).ok()?;
        (bytes != [0; 16]).then_some(Self(bytes))
    }

    /// As an order carries it.
    pub fn bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Works on `request` under this trace.
pub async fn within<F: Future>(trace: Trace, request: F) -> F::Output {
    CURRENT.scope(trace, request).await
}

/// The trace of the request that this task works on; a reconciler has none.
pub fn current() -> Option<Trace> {
    CURRENT.try_with(|trace| *trace).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_callers_trace_is_taken_over_and_nonsense_is_not() {
        let taken = |text: &str| Trace::from_traceparent(text).map(|trace| trace.to_string());
        assert_eq!(taken(&format!("00-{ID}-00f067aa0ba902b7-01")).as_deref(), Some(ID));
        assert_eq!(taken(&format!("cc-{ID}-00f067aa0ba902b7-01-more")).as_deref(), Some(ID));
        for nonsense in [
            String::new(),
            ID.to_owned(),
            format!("00-{ID}-00f067aa0ba902b7"),
            format!("00-{ID}-00f067aa0ba902b7-01-more"),
            format!("ff-{ID}-00f067aa0ba902b7-01"),
            format!("00-{ID}-0000000000000000-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{}-00f067aa0ba902b7-01", ID.to_uppercase()),
            format!("00-{}-00f067aa0ba902b7-01", "雨".repeat(32)),
        ] {
            assert_eq!(taken(&nonsense), None, "{nonsense}");
        }
    }

    #[tokio::test]
    async fn a_trace_is_known_to_what_is_done_for_its_request_and_to_nothing_else() {
        let trace = Trace::new([7; 16]);
        assert_eq!(within(trace, async { current() }).await, Some(trace));
        assert_eq!(current(), None);
    }
}
