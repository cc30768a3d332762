//! Every rule of the reader: its code, weight and words. `docs/cap.md` lists the same with reasons,
//! and a test holds the two together.

use super::finding::Level;

/// One rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable name, for scripts.
    pub code: &'static str,
    /// How much a finding of it weighs.
    pub level: Level,
    /// The sentence for the officer.
    pub zh: &'static str,
    /// The same in English.
    pub en: &'static str,
}

const fn note(code: &'static str, zh: &'static str, en: &'static str) -> Rule {
    Rule { code, level: Level::Note, zh, en }
}

const fn warn(code: &'static str, zh: &'static str, en: &'static str) -> Rule {
    Rule { code, level: Level::Warn, zh, en }
}

const fn refuse(code: &'static str, zh: &'static str, en: &'static str) -> Rule {
    Rule { code, level: Level::Refuse, zh, en }
}

macro_rules! rules {
    ($($name:ident = $level:ident($code:literal, $zh:literal, $en:literal);)+) => {
        $(#[doc = $en] pub const $name: Rule = $level($code, $zh, $en);)+

        /// All rules, in the order of the document.
        pub const ALL: &[&Rule] = &[$(&$name,)+];
    };
}

rules! {
    TOO_LARGE = refuse("too_large", "文件超过上限", "the file is larger than the limit");
    ENCODING_UNSUPPORTED = refuse("encoding_unsupported", "不支持所声明的字符编码", "the declared encoding is not supported");
    ENCODING_MALFORMED = refuse("encoding_malformed", "字节与字符编码不符", "the bytes do not fit the encoding");
    ENCODING_CONFLICT = warn("encoding_conflict", "文件开头的 BOM 与所声明的编码不一致，按 BOM 读取", "byte order mark and declared encoding differ; read by the mark");
    DOCTYPE = refuse("doctype", "含 DOCTYPE 声明", "a DOCTYPE is present");
    TOO_DEEP = refuse("too_deep", "元素嵌套过深", "elements are nested too deeply");
    TOO_COMPLEX = refuse("too_complex", "元素、属性或命名空间声明过多", "too many elements, attributes or namespace declarations");
    TEXT_AFTER_ROOT = refuse("text_after_root", "根元素之后还有内容", "there is content after the root element");
    NOT_WELL_FORMED = refuse("not_well_formed", "不是格式良好的 XML", "not well-formed XML");
    UNREADABLE = refuse("unreadable", "文件无法读取", "the file can't be read");
    WRONG_ROOT = refuse("wrong_root", "根元素不是 alert", "the root element is not alert");
    WRONG_NAMESPACE = refuse("wrong_namespace", "命名空间不是 CAP 1.2 或 1.1", "the namespace is neither CAP 1.2 nor CAP 1.1");
    MISSING = refuse("missing", "缺少必需的元素", "a mandatory element is missing");
    REPEATED = refuse("repeated", "只能出现一次的元素出现了多次", "an element that may occur once occurs again");
    ENUM_VALUE = refuse("enum_value", "取值不在规定的列表中（区分大小写和空白）", "the value is not in the list (case and white space count)");
    NOT_TEXT = refuse("not_text", "只应含文字的元素中有子元素", "an element of plain text holds elements");
    TIME_Z = refuse("time_z", "时间以“Z”结尾，应写数字时差", "the time ends in Z; a numeric offset is required");
    TIME_FRACTION = refuse("time_fraction", "时间含小数秒", "the time has a fraction of a second");
    TIME_NO_OFFSET = refuse("time_no_offset", "时间没有时差", "the time has no offset");
    TIME_MALFORMED = refuse("time_malformed", "时间格式错误或不存在", "not a date and time, or one that does not exist");
    LANGUAGE_MALFORMED = refuse("language_malformed", "language 不是语言标记", "not a language tag");
    URI_MALFORMED = refuse("uri_malformed", "不是 URI", "not a URI");
    INTEGER_MALFORMED = refuse("integer_malformed", "size 不是整数", "not an integer");
    DECIMAL_MALFORMED = refuse("decimal_malformed", "高度不是数字", "not a decimal number");
    KEY_EMPTY = refuse("key_empty", "identifier 或 sender 为空", "identifier or sender is empty");
    POLYGON_MALFORMED = refuse("polygon_malformed", "polygon 不是“纬度,经度”序列", "the polygon is not a list of latitude,longitude");
    CIRCLE_MALFORMED = refuse("circle_malformed", "circle 不是“纬度,经度 半径”", "the circle is not latitude,longitude radius");
    OFF_GLOBE = refuse("off_globe", "坐标不在地球上", "a coordinate is not on the globe");
    ORDER = warn("order", "元素次序不符合规范", "the order of elements is not the schema's");
    UNKNOWN_ELEMENT = warn("unknown_element", "CAP 中没有这个元素，未读取", "CAP has no such element; it was not read");
    FOREIGN_ELEMENT = warn("foreign_element", "其他命名空间的元素，未读取", "an element of another namespace; it was not read");
    ATTRIBUTE = warn("attribute", "CAP 元素不应有属性", "CAP elements have no attributes");
    STRAY_TEXT = warn("stray_text", "元素之间有文字，未读取", "there is text between elements; it was not read");
    TIME_GENERAL = note("time_general", "CAP 1.1 时间用了“Z”或小数秒", "a CAP 1.1 time with Z or a fraction");
    HEIGHT_NOT_NUMBER = note("height_not_number", "CAP 1.1 高度不是数字，未采用", "a CAP 1.1 height is not a number and was not used");
    EMPTY_ELEMENT = note("empty_element", "元素为空，视为没有", "the element is empty and read as absent");
    EMPTY_VALUE = note("empty_value", "valueName 或 value 为空", "valueName or value is empty");
    WHITE_SPACE = note("white_space", "首尾空白已去除", "white space around the value was removed");
    SIGNATURE = note("signature", "含数字签名，未验证", "signed; the signature was not verified");
    FINDINGS_LEFT_OUT = note("findings_left_out", "其余发现未列出", "more was found than is listed");
    KEY_CHARACTERS = warn("key_characters", "identifier 或 sender 含禁用字符", "identifier or sender holds a forbidden character");
    SENDER_BLANK = note("sender_blank", "sender 含空格", "the sender holds blanks");
    KEY_LONG = note("key_long", "identifier 或 sender 超过 128 字节，不能签发", "identifier or sender is over 128 bytes and can't be issued");
    REFERENCES_MISSING = warn("references_missing", "更新、解除、确认或报错未引用任何信息", "an Update, Cancel, Ack or Error refers to no message");
    REFERENCE_MALFORMED = warn("reference_malformed", "引用不是“sender,identifier,sent”", "a reference is not sender,identifier,sent");
    REFERENCE_TIME = note("reference_time", "引用中的时间不是规定形式", "the time in a reference is not in the standard form");
    REFERENCE_SELF = warn("reference_self", "信息引用了自身", "the message refers to itself");
    REFERENCE_SELF_TEST = note("reference_self_test", "测试信息引用了自身", "a test refers to itself");
    REFERENCE_LATER = warn("reference_later", "引用的信息晚于本信息", "the message refers to a later one");
    REFERENCE_SAME_TIME = note("reference_same_time", "引用的时间等于本信息的时间", "the time in a reference is this message's own");
    REFERENCE_REPEATED = note("reference_repeated", "同一引用重复出现", "a reference is repeated");
    RESTRICTION_MISSING = warn("restriction_missing", "Restricted 信息没有 restriction", "a Restricted message has no restriction");
    RESTRICTION_UNUSED = warn("restriction_unused", "有 restriction，而 scope 不是 Restricted", "there is a restriction, and the scope is not Restricted");
    ADDRESSES_MISSING = warn("addresses_missing", "Private 信息没有 addresses", "a Private message has no addresses");
    NOTE_MISSING = note("note_missing", "Error 信息没有说明", "an Error has no note");
    SILENT_STATUS = note("silent_status", "System 或 Draft 信息不会播出", "a System or Draft message never sounds");
    NO_INFO = note("no_info", "没有 info", "there is no info");
    TEXT_EMPTY = warn("text_empty", "event 或 areaDesc 为空", "event or areaDesc is empty");
    EXPIRES_BEFORE_SENT = warn("expires_before_sent", "失效时间早于发送时间", "it expires before it was sent");
    EXPIRES_AT_SENT = note("expires_at_sent", "失效时间等于发送时间", "it expires when it was sent");
    EFFECTIVE_AFTER_EXPIRES = warn("effective_after_expires", "生效时间晚于失效时间", "it takes effect after it expires");
    ONSET_AFTER_EXPIRES = note("onset_after_expires", "事件开始晚于失效时间", "the event begins after the information expires");
    NO_EXPIRY = note("no_expiry", "没有失效时间，按发送后 6 小时处理", "no expiry: six hours from sent are assumed");
    EXPIRY_FAR = note("expiry_far", "失效时间在发送 72 小时之后", "it expires more than 72 h after it was sent");
    LANGUAGE_REPEATED = note("language_repeated", "多个 info 语言相同", "several infos have the same language");
    LANGUAGE_SAME_TEXT = note("language_same_text", "不同语言的文字相同", "the texts of different languages are the same");
    INFOS_DIFFER = note("infos_differ", "各 info 的 category、eventCode 或 severity 不同", "the infos differ in category, eventCode or severity");
    UNKNOWN_DEGREE = note("unknown_degree", "urgency、severity 或 certainty 为 Unknown", "urgency, severity or certainty is Unknown");
    TEXTS_EQUAL = note("texts_equal", "headline、description、instruction 中有相同的", "two of headline, description and instruction are the same");
    NO_INSTRUCTION = note("no_instruction", "没有 instruction", "there is no instruction");
    BASE64_MALFORMED = warn("base64_malformed", "derefUri 不是 base64", "derefUri is not base64");
    DIGEST_MISMATCH = warn("digest_mismatch", "digest 与 derefUri 的内容不符", "the digest does not fit the content of derefUri");
    DIGEST_MALFORMED = warn("digest_malformed", "digest 不是 SHA-1 的十六进制数字", "the digest is not a SHA-1 in hexadecimal");
    SIZE_NEGATIVE = warn("size_negative", "size 为负或过大", "size is negative or too large");
    SIZE_DIFFERS = note("size_differs", "size 与 derefUri 的内容不符", "size does not fit the content of derefUri");
    URI_RELATIVE = warn("uri_relative", "相对 uri 没有 derefUri", "a relative uri without derefUri");
    RESOURCE_EMPTY = note("resource_empty", "resource 没有 uri 和 derefUri", "a resource has neither uri nor derefUri");
    NO_AREA = note("no_area", "没有 area", "there is no area");
    AREA_WORDS_ONLY = note("area_words_only", "area 只有文字描述", "an area has words only");
    POLYGON_OPEN = warn("polygon_open", "polygon 首尾不同，已闭合", "first and last point of the polygon differ; it was closed");
    POLYGON_FEW = warn("polygon_few", "polygon 少于四个点", "a polygon of fewer than four points");
    POLYGON_FLAT = warn("polygon_flat", "polygon 没有面积", "the polygon has no inside");
    POLYGON_WIDE = warn("polygon_wide", "polygon 跨越经度超过 180 度", "the polygon is wider than half the globe");
    POLYGON_CROSSING = warn("polygon_crossing", "polygon 与自身相交", "the polygon crosses itself");
    POLYGON_TOO_COMPLEX = warn("polygon_too_complex", "polygon 过于复杂，未检查是否自交", "a polygon is too complex to be checked for crossings");
    LONGITUDE_WRAPPED = warn("longitude_wrapped", "经度超过 180", "a longitude beyond 180");
    CIRCLE_ZERO = note("circle_zero", "circle 半径为零", "a circle of radius zero");
    CIRCLE_HUGE = warn("circle_huge", "circle 半径超过半个地球", "a circle wider than half the globe");
    CEILING_ALONE = warn("ceiling_alone", "有 ceiling 而无 altitude", "a ceiling without altitude");
    CEILING_BELOW = warn("ceiling_below", "ceiling 低于 altitude", "the ceiling is below the altitude");
    GEOCODE_FOREIGN = note("geocode_foreign", "不认识的地理编码体系", "a geocode of a scheme that is not ours");
    GEOCODE_UNSTATED = note("geocode_unstated", "区划代码未说明出自哪套代码", "a region code does not say which list it is from");
    GEOCODE_MALFORMED = note("geocode_malformed", "不是有效的区划代码", "not a region code");
}
