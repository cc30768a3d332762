//! Drill enrolment (演练登记): which terminals take part in a drill, and when. A terminal that is not
//! enrolled refuses every exercise; an exercise that nobody would sound is refused here.

use jiff::{SignedDuration, Timestamp};
use protocols::region::RegionCode;
use protocols::terminal::TerminalId;
use serde::{Deserialize, Serialize};

use crate::domain::fault::Fault;
use crate::domain::targeting::PlaceTable;

/// Bytes of a drill's name: what a terminal accepts.
pub const DRILL_BYTES_MAX: usize = 128;

/// Hours of a window: what a terminal accepts. A drill lasts a day at most.
pub const WINDOW_HOURS_MAX: i64 = 24;

/// Days from now to the beginning of a window: a drill is known weeks before, not years.
pub const AHEAD_DAYS_MAX: i64 = 60;

/// Regions of one enrolment, and villages of its single terminals: one signed command each.
pub const TOPICS_MAX: usize = 64;

/// Single terminals of one enrolment: those of one village fit into one command with room to spare.
pub const TERMINALS_MAX: usize = 200;

/// Who takes part.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DrillScope {
    /// Whole regions: each terminal in them.
    pub regions: Vec<RegionCode>,
    /// Single terminals.
    pub terminals: Vec<TerminalId>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillRequest {
    /// The drill.
    pub drill: String,
    /// Who takes part.
    pub scope: DrillScope,
    /// From this instant.
    pub from: Timestamp,
    /// Until this instant.
    pub until: Timestamp,
}

/// What one command says, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillTopic {
    /// The region on whose topic it goes.
    pub topic: RegionCode,
    /// The terminals that it means; empty for all that receive it.
    pub terminals: Vec<TerminalId>,
}

impl DrillScope {
    /// The same, in order and without repetition.
    #[must_use]
    pub fn tidied(mut self) -> Self {
        self.regions.sort_unstable();
        self.regions.dedup();
        self.terminals.sort_unstable();
        self.terminals.dedup();
        self
    }

    /// One command a region, and one a village of single terminals.
    pub fn topics(&self) -> Vec<DrillTopic> {
        let whole =
            self.regions.iter().map(|topic| DrillTopic { topic: *topic, terminals: vec![] });
        let mut topics = whole.collect::<Vec<_>>();
        for terminal in &self.terminals {
            let village = terminal.village();
            match topics.iter_mut().find(|one| one.topic == village && !one.terminals.is_empty()) {
                Some(topic) => topic.terminals.push(*terminal),
                None => topics.push(DrillTopic { topic: village, terminals: vec![*terminal] }),
            }
        }
        topics
    }

    /// The smallest single region that holds all of it; `None` when it is empty.
    pub fn common(&self) -> Option<RegionCode> {
        let villages = self.terminals.iter().map(|terminal| terminal.village());
        let all = self.regions.iter().copied().chain(villages).map(Some);
        all.reduce(|held, region| held?.common(region?)).flatten()
    }

    /// Whether this terminal takes part.
    pub fn includes(&self, terminal: TerminalId) -> bool {
        self.regions.iter().any(|region| region.contains(terminal.village()))
            || self.terminals.contains(&terminal)
    }

    /// Whether a terminal may be in both.
    pub fn overlaps(&self, other: &Self) -> bool {
        let nests = |a: &RegionCode, b: &RegionCode| a.contains(*b) || b.contains(*a);
        self.regions.iter().any(|a| other.regions.iter().any(|b| nests(a, b)))
            || self.terminals.iter().any(|terminal| other.includes(*terminal))
            || other.terminals.iter().any(|terminal| self.includes(*terminal))
    }
}

/// Every rule that a request breaks; it is tidied before.
pub fn check(
    request: &DrillRequest,
    authority: RegionCode,
    places: PlaceTable<'_>,
    now: Timestamp,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut refuse = |pointer: &str, rule: &str, zh: String, en: String| {
        faults.push(Fault::new(pointer, rule, zh, en));
    };
    if request.drill.is_empty() || request.drill.len() > DRILL_BYTES_MAX {
        let zh = format!("演练编号须为 1 至 {DRILL_BYTES_MAX} 字节");
        refuse("/drill", "length", zh, format!("a drill's name has 1 to {DRILL_BYTES_MAX} bytes"));
    }
    let (regions, terminals) = (&request.scope.regions, &request.scope.terminals);
    if regions.is_empty() && terminals.is_empty() {
        let en = "an enrolment without regions and terminals enrols nobody";
        refuse("/regions", "empty", "未指定区域或终端".to_owned(), en.to_owned());
    }
    let topics = request.scope.topics().len();
    if topics > TOPICS_MAX || terminals.len() > TERMINALS_MAX {
        let zh = format!("区域与终端所在村合计最多 {TOPICS_MAX} 个，终端最多 {TERMINALS_MAX} 个");
        let en = format!("{TOPICS_MAX} regions and villages and {TERMINALS_MAX} terminals at most");
        refuse("/regions", "too-many", zh, en);
    }
    for (index, region) in regions.iter().enumerate().take(TOPICS_MAX) {
        let is_known = places.tree.get(*region).is_some_and(|region| region.is_target);
        if !authority.contains(*region) || !is_known {
            let pointer = format!("/regions/{index}");
            let zh = format!("{region} 不是本平台区域内的行政区划");
            refuse(&pointer, "unknown", zh, format!("{region} is no region of this dispatcher"));
        }
    }
    for (index, terminal) in terminals.iter().enumerate().take(TERMINALS_MAX) {
        let known = places.terminals.within(terminal.village());
        if !authority.contains(terminal.village()) || known.iter().all(|one| one.id != *terminal) {
            let pointer = format!("/terminals/{index}");
            let zh = format!("{terminal} 未注册或不属于本平台");
            refuse(&pointer, "unknown", zh, format!("{terminal} is not enrolled here"));
        }
    }
    if request.until <= request.from || request.until <= now {
        let (zh, en) = ("结束时间须晚于开始时间和现在", "it ends after it begins, and after now");
        refuse("/until", "order", zh.to_owned(), en.to_owned());
    } else if request.until.duration_since(request.from)
        > SignedDuration::from_hours(WINDOW_HOURS_MAX)
    {
        let zh = format!("演练时段最长 {WINDOW_HOURS_MAX} 小时");
        refuse(
            "/until",
            "too-long",
            zh,
            format!("a window lasts {WINDOW_HOURS_MAX} hours at most"),
        );
    }
    if request.from.duration_since(now) > SignedDuration::from_hours(24 * AHEAD_DAYS_MAX) {
        let zh = format!("最多提前 {AHEAD_DAYS_MAX} 天登记");
        refuse("/from", "too-early", zh, format!("{AHEAD_DAYS_MAX} days ahead at most"));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::regions::{Region, RegionTree};
    use crate::domain::targeting::{TerminalIndex, TerminalPlace};

    const NOW: Timestamp = Timestamp::constant(1_780_000_000, 0);
    const CITY: &str = "350200000000";
    const TOWN: &str = "350211102000";
    const VILLAGE: &str = "350211102201";

    fn region(code: &str) -> RegionCode {
        code.parse().expect("a code")
    }

    fn terminal(id: &str) -> TerminalId {
        id.parse().expect("an id")
    }

    fn scope(regions: &[&str], terminals: &[&str]) -> DrillScope {
        DrillScope {
            regions: regions.iter().map(|code| region(code)).collect(),
            terminals: terminals.iter().map(|id| terminal(id)).collect(),
        }
    }

    fn request(scope: DrillScope, from_h: i64, until_h: i64) -> DrillRequest {
        let at = |hours| NOW + SignedDuration::from_hours(hours);
        DrillRequest { drill: "d1".to_owned(), scope, from: at(from_h), until: at(until_h) }
    }

    fn rules(request: &DrillRequest) -> Vec<String> {
        let regions = [CITY, "350211000000", TOWN, VILLAGE].map(|code| Region {
            code: region(code),
            name: code.to_owned(),
            name_en: None,
            kind: String::new(),
            is_target: true,
            place: None,
            ring: None,
        });
        let tree = RegionTree::new(regions);
        let id = terminal("350211102201-0001");
        let terminals = TerminalIndex::build([TerminalPlace { id, position: None }], &tree);
        let places = PlaceTable { tree: &tree, terminals: &terminals };
        let faults = check(request, region(CITY), places, NOW);
        faults.into_iter().map(|fault| format!("{} {}", fault.pointer, fault.rule)).collect()
    }

    #[test]
    fn regions_and_enrolled_terminals_of_ones_own_within_a_day_are_taken() {
        let both = scope(&[TOWN], &["350211102201-0001"]);
        assert_eq!(rules(&request(both, 0, 24)), Vec::<String>::new());
        assert_eq!(rules(&request(scope(&[TOWN], &[]), -2, 1)), Vec::<String>::new());
    }

    #[test]
    fn what_breaks_a_rule_is_named_field_by_field() {
        let empty = DrillRequest { drill: String::new(), ..request(scope(&[], &[]), 0, 25) };
        assert_eq!(rules(&empty), ["/drill length", "/regions empty", "/until too-long"]);
        let strange = scope(&[TOWN, "350300000000"], &["350211102201-0002"]);
        let strange = request(strange, 2, 1);
        assert_eq!(rules(&strange), ["/regions/1 unknown", "/terminals/0 unknown", "/until order"]);
        let over = request(scope(&[TOWN], &[]), -3, -1);
        assert_eq!(rules(&over), ["/until order"]);
        let far = request(scope(&[TOWN], &[]), 24 * 61, 24 * 61 + 1);
        assert_eq!(rules(&far), ["/from too-early"]);
    }

    #[test]
    fn one_command_goes_to_each_region_and_to_each_village_of_single_terminals() {
        let scope =
            scope(&[TOWN], &["350211103201-0001", "350211103201-0002", "350211104201-0001"]);
        let topics = scope.topics();
        assert_eq!(topics.len(), 3);
        assert_eq!((topics[0].topic, topics[0].terminals.len()), (region(TOWN), 0));
        assert_eq!(topics[1].terminals.len(), 2);
        assert_eq!(scope.common(), Some(region("350211000000")));
        assert!(scope.includes(terminal("350211102999-0001")));
        assert!(!scope.includes(terminal("350211103201-0003")));
    }

    #[test]
    fn two_enrolments_overlap_where_a_terminal_may_be_in_both() {
        let town = scope(&[TOWN], &[]);
        assert!(town.overlaps(&scope(&[CITY], &[])));
        assert!(town.overlaps(&scope(&[], &["350211102201-0001"])));
        assert!(!town.overlaps(&scope(&["350211103000"], &["350211104201-0001"])));
    }
}
