//! What must be true of a content before it may be submitted, and again before it is issued.
//! Collects every fault; an officer mends them all at once.

use jiff::{SignedDuration, Timestamp};
use protocols::alert::BroadcastKind;
use protocols::limits;
use protocols::region::RegionCode;
use protocols::speech::{Language, SpeechRequest};

use crate::domain::alert::content::{AlertContent, AlertText, has_control};
use crate::domain::fault::Fault;
use crate::domain::targeting::RequestedArea;

/// Bytes of all spoken texts together. An order of 4 KiB also carries envelope and certificate
/// (some 450 bytes), its own fields (250), three clip references (150) and a target (≥ 200).
pub const SPOKEN_BYTES_MAX: usize = 2_900;

/// Bytes that each member of the chain takes away from the words: its key and digest in the order.
pub const REFERENCE_BYTES: usize = 115;

/// Bytes of a headline: 160 Chinese characters, as CAP advises, and short enough that the closing
/// words, which repeat it, keep within their own bound.
pub const HEADLINE_BYTES_MAX: usize = 480;

/// What the content is checked against.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// On whose behalf it is issued; nothing outside is reached.
    pub region: RegionCode,
    /// Earlier members of its chain, which its order must name.
    pub predecessors: usize,
    /// The time of the check.
    pub now: Timestamp,
}

/// Every rule that `content` breaks; empty when it may be submitted. Shapes, and whether regions
/// exist, are checked where the area is resolved.
pub fn faults(content: &AlertContent, frame: &Frame) -> Vec<Fault> {
    let mut faults = Vec::new();
    check_kind(content, frame, &mut faults);
    check_texts(&content.texts, frame.predecessors, &mut faults);
    check_area(&content.area, frame.region, &mut faults);
    check_times(content, frame.now, &mut faults);
    faults
}

/// What an officer should know although it is not refused.
pub fn warnings(content: &AlertContent) -> Vec<Fault> {
    let mut warnings = Vec::new();
    if content.expires_at.is_none() {
        warnings.push(Fault::new(
            "/expires_at",
            "expiry-assumed",
            "没有写失效时间：按发布后 6 小时失效处理",
            "no expiry is given: six hours after issue are assumed",
        ));
    }
    warnings
}

/// When an alert that is issued at `sent` ends.
pub fn expiry(content: &AlertContent, sent: Timestamp) -> Timestamp {
    content
        .expires_at
        .unwrap_or_else(|| sent + SignedDuration::from_hours(limits::EXPIRY_DEFAULT_H))
}

fn check_kind(content: &AlertContent, frame: &Frame, faults: &mut Vec<Fault>) {
    if content.kind == BroadcastKind::LiveTalk {
        faults.push(Fault::new(
            "/kind",
            "kind-not-written",
            "现场喊话不能写成预警",
            "live talk is spoken on site and is not written as an alert",
        ));
    }
    if content.kind == BroadcastKind::Routine && content.color.is_some() {
        faults.push(Fault::new(
            "/color",
            "routine-has-no-color",
            "日常广播没有预警颜色",
            "a routine broadcast has no colour",
        ));
    }
    if content.event.is_none() {
        faults.push(Fault::new(
            "/event",
            "event-missing",
            "必须写明事件类型代码（GB/T 35561）",
            "the hazard is named by an event code of GB/T 35561",
        ));
    }
    let names_drill = content.drill.as_ref().is_some_and(|drill| !drill.trim().is_empty());
    if (content.kind == BroadcastKind::Exercise) != names_drill {
        faults.push(Fault::new(
            "/drill",
            "drill-names-exercise",
            "演练必须写明演练编号，其他播发不得写演练编号",
            "an exercise names its drill, and nothing else does",
        ));
    }
    if content.is_minor && frame.predecessors == 0 {
        faults.push(Fault::new(
            "/is_minor",
            "minor-without-predecessor",
            "只有更新才可以标为“轻微更新”",
            "only an update can be minor",
        ));
    }
}

fn check_texts(texts: &[AlertText], predecessors: usize, faults: &mut Vec<Fault>) {
    if texts.is_empty() || texts.len() > limits::LANGUAGES_MAX {
        faults.push(Fault::new(
            "/texts",
            "texts-count",
            "播发文字须有一至三种语言",
            "one to three languages are spoken",
        ));
    }
    for (index, text) in texts.iter().enumerate() {
        let at = |field: &str| format!("/texts/{index}/{field}");
        let is_tag = (2..=35).contains(&text.language.len())
            && text.language.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_tag {
            faults.push(Fault::new(
                at("language"),
                "language-tag",
                "语言须写成 BCP 47 标签，如 zh-CN",
                "the language is a BCP 47 tag such as zh-CN",
            ));
        }
        let is_repeated =
            texts[..index].iter().any(|other| other.language.eq_ignore_ascii_case(&text.language));
        if is_repeated {
            faults.push(Fault::new(
                at("language"),
                "language-repeated",
                "同一种语言写了两次",
                "the same language is given twice",
            ));
        }
        if text.headline.trim().is_empty() {
            faults.push(Fault::new(
                at("headline"),
                "headline-missing",
                "缺少标题",
                "the headline is missing",
            ));
        }
        if text.headline.len() > HEADLINE_BYTES_MAX {
            faults.push(Fault::new(
                at("headline"),
                "headline-too-long",
                "标题最多 480 字节（约 160 个汉字）",
                "a headline has at most 480 bytes",
            ));
        }
        if text.instruction.trim().is_empty() {
            faults.push(Fault::new(
                at("instruction"),
                "action-missing",
                "缺少行动要求：必须告诉群众该怎么做",
                "the action is missing: people must be told what to do",
            ));
        }
        if let Some(field) = field_with_control(text) {
            faults.push(Fault::new(
                at(field),
                "control-character",
                "文字中有控制字符",
                "the text contains a control character",
            ));
        }
        let spoken = text.spoken();
        let has_voice = Language::from_tag(&text.language).is_some();
        let is_mute = SpeechRequest::for_text(&text.language, &spoken).is_none();
        if has_voice && is_mute && !spoken.trim().is_empty() {
            faults.push(Fault::new(
                at("headline"),
                "nothing-to-say",
                "文字中没有可以读出来的内容",
                "nothing in the text can be said aloud",
            ));
        }
        let bytes = spoken.len();
        if bytes > limits::TEXT_BYTES_MAX {
            let over = bytes - limits::TEXT_BYTES_MAX;
            faults.push(Fault::new(
                at("description"),
                "spoken-too-long",
                format!("播发文字每种语言最多 1200 字节（约 400 个汉字），现超出 {over} 字节"),
                format!("spoken text has at most 1,200 bytes a language; it is {over} over"),
            ));
        }
    }
    let total = texts.iter().map(|text| text.spoken().len()).sum::<usize>();
    let room = SPOKEN_BYTES_MAX.saturating_sub(predecessors * REFERENCE_BYTES);
    if total > room {
        faults.push(Fault::new(
            "/texts",
            "spoken-total-too-long",
            format!("各语言播发文字合计最多 {room} 字节，现为 {total} 字节"),
            format!("all languages together have at most {room} spoken bytes; these have {total}"),
        ));
    }
}

fn field_with_control(text: &AlertText) -> Option<&'static str> {
    [
        ("headline", &text.headline),
        ("description", &text.description),
        ("instruction", &text.instruction),
    ]
    .into_iter()
    .find_map(|(field, text)| has_control(text).then_some(field))
}

fn check_area(area: &RequestedArea, region: RegionCode, faults: &mut Vec<Fault>) {
    if area.is_empty() {
        faults.push(Fault::new(
            "/area",
            "area-missing",
            "没有写明覆盖区域：空的区域一律拒绝，绝不当作“全部”",
            "the area is missing: an empty area is refused, never read as everyone",
        ));
    }
    for (index, code) in area.regions.iter().enumerate() {
        if !region.contains(*code) {
            faults.push(Fault::new(
                format!("/area/regions/{index}"),
                "outside-authority",
                format!("{code} 不在 {region} 管辖范围内"),
                format!("{code} lies outside {region}"),
            ));
        }
    }
    let has_everything_excluded = !area.regions.is_empty()
        && area.polygons.is_empty()
        && area.circles.is_empty()
        && area.terminals.is_empty()
        && area
            .regions
            .iter()
            .all(|code| area.excluded.iter().any(|excluded| excluded.contains(*code)));
    if has_everything_excluded {
        faults.push(Fault::new(
            "/area/excluded",
            "everything-excluded",
            "所列区域全部被排除",
            "every region that is named is excluded again",
        ));
    }
}

fn check_times(content: &AlertContent, now: Timestamp, faults: &mut Vec<Fault>) {
    let expires_at = expiry(content, now);
    if expires_at <= now {
        faults.push(Fault::new(
            "/expires_at",
            "expiry-past",
            "失效时间已过",
            "the expiry has passed",
        ));
    }
    if expires_at.duration_since(now) > SignedDuration::from_hours(limits::EXPIRY_MAX_H) {
        faults.push(Fault::new(
            "/expires_at",
            "expiry-too-late",
            "失效时间最迟为 72 小时之后",
            "the expiry is at most 72 hours ahead",
        ));
    }
    if content.play_at.is_some_and(|at| at <= now || at >= expires_at) {
        faults.push(Fault::new(
            "/play_at",
            "start-outside-validity",
            "约定播出时间须在现在之后、失效之前",
            "the common start lies after now and before the expiry",
        ));
    }
    let repeats = content.repeats;
    if repeats.times == 0 || repeats.times > limits::REPEATS_MAX {
        faults.push(Fault::new(
            "/repeats/times",
            "repeats-times",
            "播出次数为 1 至 20 次",
            "it sounds 1 to 20 times",
        ));
    }
    if repeats.interval_s > limits::REPEAT_INTERVAL_S_MAX {
        faults.push(Fault::new(
            "/repeats/interval_s",
            "repeats-interval",
            "播出间隔最多 3600 秒",
            "the interval is at most 3,600 s",
        ));
    }
}

#[cfg(test)]
mod tests {
    use protocols::alert::AlertColor;

    use super::*;
    use crate::domain::alert::content::REPEATS_DEFAULT;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn frame() -> Frame {
        Frame { region: "350212000000".parse().expect("a region"), predecessors: 0, now: NOW }
    }

    fn content() -> AlertContent {
        AlertContent {
            kind: BroadcastKind::Actual,
            color: Some(AlertColor::Red),
            event: Some("11B01".parse().expect("an event code")),
            is_move_out: false,
            texts: vec![AlertText {
                language: "zh-CN".to_owned(),
                headline: "台风红色预警".to_owned(),
                description: "台风今晚登陆。".to_owned(),
                instruction: "请留在室内。".to_owned(),
            }],
            area: RequestedArea {
                regions: vec!["350212110000".parse().expect("a region")],
                ..RequestedArea::default()
            },
            expires_at: Some(NOW + SignedDuration::from_hours(3)),
            repeats: REPEATS_DEFAULT,
            play_at: None,
            wants_out_of_area: false,
            drill: None,
            is_minor: false,
        }
    }

    fn rules(content: &AlertContent) -> Vec<String> {
        faults(content, &frame())
            .into_iter()
            .map(|fault| format!("{} {}", fault.pointer, fault.rule))
            .collect()
    }

    #[test]
    fn a_whole_content_breaks_no_rule() {
        assert_eq!(rules(&content()), Vec::<String>::new());
        assert_eq!(warnings(&content()), Vec::new());
    }

    #[test]
    fn an_alert_without_an_action_is_refused_and_the_field_is_named() {
        let mut content = content();
        content.texts[0].instruction = "  ".to_owned();
        assert_eq!(rules(&content), ["/texts/0/instruction action-missing"]);
    }

    #[test]
    fn an_empty_area_is_refused_and_so_is_one_that_is_excluded_again() {
        let mut empty = content();
        empty.area = RequestedArea::default();
        assert_eq!(rules(&empty), ["/area area-missing"]);
        let mut excluded = content();
        excluded.area.excluded = vec!["350212000000".parse().expect("a region")];
        assert_eq!(rules(&excluded), ["/area/excluded everything-excluded"]);
    }

    #[test]
    fn a_region_of_another_authority_is_refused() {
        let mut content = content();
        content.area.regions.push("350213001000".parse().expect("a region"));
        assert_eq!(rules(&content), ["/area/regions/1 outside-authority"]);
    }

    #[test]
    fn words_beyond_1200_bytes_are_refused_with_the_field() {
        let mut content = content();
        content.texts[0].description = "雨".repeat(400);
        assert_eq!(rules(&content), ["/texts/0/description spoken-too-long"]);
    }

    #[test]
    fn four_languages_are_refused() {
        let mut content = content();
        for language in ["en", "nan", "ug"] {
            content
                .texts
                .push(AlertText { language: language.to_owned(), ..content.texts[0].clone() });
        }
        assert_eq!(rules(&content), ["/texts texts-count"]);
    }

    #[test]
    fn three_full_languages_leave_no_room_in_an_order_and_are_refused() {
        let mut content = content();
        content.texts[0].description = "雨".repeat(380);
        for language in ["en", "nan"] {
            content
                .texts
                .push(AlertText { language: language.to_owned(), ..content.texts[0].clone() });
        }
        assert_eq!(rules(&content), ["/texts spoken-total-too-long"]);
    }

    #[test]
    fn no_expiry_means_six_hours_with_a_warning_and_more_than_72_are_refused() {
        let mut content = content();
        content.expires_at = None;
        assert_eq!(rules(&content), Vec::<String>::new());
        assert_eq!(warnings(&content)[0].rule, "expiry-assumed");
        assert_eq!(expiry(&content, NOW), NOW + SignedDuration::from_hours(6));
        content.expires_at = Some(NOW + SignedDuration::from_secs(72 * 3_600 + 1));
        assert_eq!(rules(&content), ["/expires_at expiry-too-late"]);
        content.expires_at = Some(NOW);
        assert_eq!(rules(&content), ["/expires_at expiry-past"]);
    }

    #[test]
    fn an_exercise_names_its_drill_and_nothing_else_does() {
        let mut exercise = content();
        exercise.kind = BroadcastKind::Exercise;
        assert_eq!(rules(&exercise), ["/drill drill-names-exercise"]);
        let mut actual = content();
        actual.drill = Some("d1".to_owned());
        assert_eq!(rules(&actual), ["/drill drill-names-exercise"]);
    }
}
