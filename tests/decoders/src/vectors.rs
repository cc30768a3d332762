//! The committed golden vectors as bytes, each read once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

macro_rules! vectors {
    ($($name:ident = $file:literal;)*) => {
        $(
            /// The message of this name.
            pub(crate) static $name: LazyLock<Vector> = LazyLock::new(|| {
                Vector::read(include_str!(concat!("../../../protocols/vectors/", $file, ".json")))
            });
        )*
    };
}

/// A message without its envelope, and as it travels.
#[derive(Debug)]
pub(crate) struct Vector {
    pub(crate) payload: Vec<u8>,
    pub(crate) sealed: Vec<u8>,
}

vectors! {
    ORDER = "order";
    COMMAND = "command";
    RECEIPTS = "receipts";
    RECEIPT_ACK = "receipt_ack";
    HELLO = "hello";
    HELLO_REPLY = "hello_reply";
    VITALS = "vitals";
    CERTIFICATE = "certificate";
    REVOCATION_LIST = "revocation_list";
    PHRASE_SET = "phrase_set";
    KEY_PROOF = "key_proof";
    AUDIT_HEAD = "audit_head";
}

impl Vector {
    fn read(text: &str) -> Self {
        let file: Value = serde_json::from_str(text).expect("a committed vector is JSON");
        Self { payload: from_hex(&file["payload"]), sealed: from_hex(&file["sealed"]) }
    }
}

/// Orders good and bad, sealed.
pub(crate) fn orders_judged() -> Vec<Vec<u8>> {
    let text = include_str!("../../../protocols/vectors/orders_judged.json");
    let file: Value = serde_json::from_str(text).expect("a committed vector is JSON");
    let cases = file["cases"].as_array().expect("it lists cases");
    cases.iter().map(|case| from_hex(&case["sealed"])).collect()
}

struct Keys {
    seeds: BTreeMap<String, [u8; 32]>,
    judged_at: jiff::Timestamp,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let text = include_str!("../../../protocols/vectors/keys.json");
    let file: Value = serde_json::from_str(text).expect("a committed vector is JSON");
    let keys = file["keys"].as_array().expect("it lists keys").iter();
    let seeds = keys.map(|key| {
        let name = key["name"].as_str().expect("a key has a name").to_owned();
        (name, from_hex(&key["seed"]).try_into().expect("a seed has 32 bytes"))
    });
    let judged_at = file["judged_at"].as_str().and_then(|text| text.parse().ok());
    Keys { seeds: seeds.collect(), judged_at: judged_at.expect("an instant") }
});

/// The seed of the key of this name.
pub(crate) fn seed(name: &str) -> &'static [u8; 32] {
    KEYS.seeds.get(name).expect("a key of this name is committed")
}

/// The instant at which the vectors are judged.
pub(crate) fn judged_at() -> jiff::Timestamp {
    KEYS.judged_at
}

fn from_hex(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("text")).expect("a committed vector is hexadecimal")
}
