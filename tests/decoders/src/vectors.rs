//! The committed golden vectors as bytes.

use serde_json::Value;

macro_rules! vector {
    ($name:literal) => {
        include_str!(concat!("../../../protocols/vectors/", $name, ".json"))
    };
}

/// The file of a message: its payload and its sealed bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vector(&'static str);

pub(crate) const ORDER: Vector = Vector(vector!("order"));
pub(crate) const COMMAND: Vector = Vector(vector!("command"));
pub(crate) const RECEIPTS: Vector = Vector(vector!("receipts"));
pub(crate) const RECEIPT_ACK: Vector = Vector(vector!("receipt_ack"));
pub(crate) const HELLO: Vector = Vector(vector!("hello"));
pub(crate) const HELLO_REPLY: Vector = Vector(vector!("hello_reply"));
pub(crate) const VITALS: Vector = Vector(vector!("vitals"));
pub(crate) const CERTIFICATE: Vector = Vector(vector!("certificate"));
pub(crate) const REVOCATION_LIST: Vector = Vector(vector!("revocation_list"));
pub(crate) const PHRASE_SET: Vector = Vector(vector!("phrase_set"));
pub(crate) const KEY_PROOF: Vector = Vector(vector!("key_proof"));
pub(crate) const AUDIT_HEAD: Vector = Vector(vector!("audit_head"));

impl Vector {
    /// The message without its envelope.
    pub(crate) fn payload(self) -> Vec<u8> {
        self.bytes("payload")
    }

    /// The message as it travels.
    pub(crate) fn sealed(self) -> Vec<u8> {
        self.bytes("sealed")
    }

    fn bytes(self, key: &str) -> Vec<u8> {
        let file: Value = serde_json::from_str(self.0).expect("a committed vector is JSON");
        from_hex(&file[key])
    }
}

/// Orders good and bad, sealed.
pub(crate) fn orders_judged() -> Vec<Vec<u8>> {
    let file: Value = serde_json::from_str(vector!("orders_judged")).expect("JSON");
    let cases = file["cases"].as_array().expect("cases");
    cases.iter().map(|case| from_hex(&case["sealed"])).collect()
}

/// The seed of the key of this name.
pub(crate) fn seed(name: &str) -> [u8; 32] {
    let file: Value = serde_json::from_str(vector!("keys")).expect("JSON");
    let keys = file["keys"].as_array().expect("keys");
    let key = keys.iter().find(|key| key["name"] == name).expect("a key of this name");
    from_hex(&key["seed"]).try_into().expect("a seed has 32 bytes")
}

/// The instant at which the vectors are judged.
pub(crate) fn judged_at() -> jiff::Timestamp {
    let file: Value = serde_json::from_str(vector!("keys")).expect("JSON");
    file["judged_at"].as_str().and_then(|text| text.parse().ok()).expect("an instant")
}

fn from_hex(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("text")).expect("a committed vector is hexadecimal")
}
