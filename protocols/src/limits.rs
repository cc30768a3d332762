//! Every bound of the protocol, with its unit and its reason. A bound that is not here does not
//! exist.

/// Bytes of one sealed order or command, envelope included. 4 KiB fits the smallest packet
/// buffer found in MQTT modules for embedded devices; a larger area is split into several orders.
pub const ORDER_BYTES_MAX: usize = 4 * 1024;

/// Bytes of any other sealed message over MQTT (hello, reply, receipts, vitals).
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// Bytes an MQTT client or broker must accept in one packet: the larger of the above with room
/// for topic and header.
pub const PACKET_BYTES_MAX: usize = 32 * 1024;

/// Bytes (UTF-8) of spoken text in one language: 400 Chinese characters, about 100 s of speech,
/// longer than anybody listens to a loudspeaker in rain.
pub const TEXT_BYTES_MAX: usize = 1_200;

/// Languages of one order: Mandarin, one dialect or minority language, English.
pub const LANGUAGES_MAX: usize = 3;

/// Terminal numbers in one village run from 1 to this. The largest administrative villages known
/// have some forty horns; the bitmap of a full village is 128 bytes.
pub const TERMINALS_PER_VILLAGE_MAX: u16 = 1_024;

/// Regions listed, and regions excluded, in one order. 46 towns is the most a city-wide polygon
/// in Xiamen can name beside its districts; more is split.
pub const REGIONS_PER_ORDER_MAX: usize = 64;

/// Villages that are named in part (by bitmap) in one order.
pub const PARTIAL_VILLAGES_PER_ORDER_MAX: usize = 32;

/// Polygons and circles in one order.
pub const SHAPES_PER_ORDER_MAX: usize = 8;

/// Vertices of one polygon in an order, after the outward simplification of at most
/// [`SIMPLIFY_M_MAX`].
pub const VERTICES_PER_POLYGON_MAX: usize = 128;

/// Metres by which a polygon may grow when it is simplified for the wire. Never inward: nobody
/// who was meant is left out.
pub const SIMPLIFY_M_MAX: f64 = 50.0;

/// Other alerts one order may name as cancelled or updated.
pub const REFERENCES_MAX: usize = 16;

/// Bytes of an alert's sender, and of its identifier.
pub const ALERT_KEY_PART_BYTES_MAX: usize = 128;

/// Hours from `sent` to an expiry assumed when CAP gives none.
pub const EXPIRY_DEFAULT_H: i64 = 6;

/// Hours from `sent` to the latest expiry accepted: a warning older than three days is nobody's
/// warning any more.
pub const EXPIRY_MAX_H: i64 = 72;

/// Repeats of one order (the first sounding included).
pub const REPEATS_MAX: u8 = 20;

/// Seconds between the start of two soundings of one order.
pub const REPEAT_INTERVAL_S_MAX: u16 = 3_600;

/// Sequence numbers below the highest that a terminal remembers one by one.
pub const SEQUENCE_WINDOW: u64 = 1_024;

/// Receipts in one batch.
pub const RECEIPTS_PER_BATCH_MAX: usize = 32;

/// Stream heads and held orders named in one hello.
pub const HELLO_LIST_MAX: usize = 128;

/// Days a delegation certificate may be valid.
pub const CERTIFICATE_DAYS_MAX: i64 = 400;

/// Bytes of a dispatcher's name in its certificate.
pub const CERTIFICATE_NAME_BYTES_MAX: usize = 128;

/// Key identifiers in one revocation list.
pub const REVOCATIONS_MAX: usize = 256;

/// Bytes of the file on a USB stick: all live orders of a town, read at once by a small device.
pub const STICK_BYTES_MAX: usize = 1024 * 1024;

/// Messages on a USB stick.
pub const STICK_MESSAGES_MAX: usize = 512;

/// Phrase clips named in one phrase set (hazards × languages × phrase and action).
pub const PHRASES_MAX: usize = 256;

/// Bytes of a sealed phrase set over HTTP: 256 references of some 70 bytes, certificate and
/// signature, with room for long language tags.
pub const PHRASE_SET_BYTES_MAX: usize = 64 * 1024;

/// Bytes of one clip: 1,200 bytes of text spoken slowly stay far below it at 24 kbit/s.
pub const CLIP_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of a CAP document. The largest real one seen is 1.7 MB.
pub const CAP_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Depth of nested elements in a CAP document. The deepest real one seen is 6.
pub const CAP_DEPTH_MAX: usize = 16;

/// Tags, comments and instructions in a CAP document. The largest real ones, with all zone codes
/// of a country expanded, have some 150,000; the tree of this many takes about 10 MB.
pub const CAP_TAGS_MAX: usize = 160_000;

/// Attributes of one element in a CAP document. CAP has none, a signature a few.
pub const CAP_ATTRIBUTES_PER_ELEMENT_MAX: usize = 64;

/// Attributes of all elements in a CAP document, namespace declarations included.
pub const CAP_ATTRIBUTES_MAX: usize = 10_000;

/// Comparisons of polygon edges in one CAP document, to find those that cross: enough for the
/// polygons of every real message seen, and some milliseconds in the worst case.
pub const CAP_EDGE_COMPARISONS_MAX: usize = 4_000_000;
