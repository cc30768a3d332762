//! The algebra of regions, the bitmap, and topics.

use std::collections::BTreeSet;

use proptest::prelude::*;
use protocols::area::PartialVillage;
use protocols::region::{RegionCode, RegionLevel};
use protocols::wire::{Topic, dispatcher_filters, terminal_filters};

use crate::arbitrary::{near_region, partial, region, terminal};

/// The digits that count.
fn prefix(region: RegionCode) -> String {
    region.to_string()[..region.level().digits() as usize].to_owned()
}

proptest! {
    #[test]
    fn containing_means_being_a_prefix(a in near_region(), b in near_region()) {
        prop_assert_eq!(a.contains(b), b.to_string().starts_with(&prefix(a)));
        prop_assert_eq!(a.overlaps(b), a.contains(b) || b.contains(a));
    }

    #[test]
    fn the_lineage_runs_from_the_region_to_its_city(a in region()) {
        let lineage: Vec<_> = a.lineage().collect();
        prop_assert_eq!(lineage[0], a);
        prop_assert_eq!(lineage.last().expect("never empty").level(), RegionLevel::City);
        for pair in lineage.windows(2) {
            prop_assert_eq!(pair[0].parent(), Some(pair[1]));
            prop_assert!(pair[1].contains(pair[0]) && !pair[0].contains(pair[1]));
        }
    }

    #[test]
    fn the_common_region_is_the_smallest_that_holds_both(a in near_region(), b in near_region()) {
        let common = a.common(b);
        prop_assert_eq!(common, b.common(a));
        let holds_both = |c: &RegionCode| c.contains(a) && c.contains(b);
        let smallest = a.lineage().find(holds_both);
        prop_assert_eq!(common, smallest);
        prop_assert_eq!(common.is_none(), a.at(RegionLevel::City) != b.at(RegionLevel::City));
    }

    #[test]
    fn the_range_of_texts_holds_exactly_the_subtree(a in near_region(), b in near_region()) {
        let (first, end) = a.range();
        let code = b.to_string();
        prop_assert_eq!(a.contains(b), first <= code && code < end);
    }

    #[test]
    fn codes_are_read_back(a in region(), b in terminal()) {
        prop_assert_eq!(a.to_string().parse(), Ok(a));
        prop_assert_eq!(RegionCode::new(a.number()), Ok(a));
        prop_assert_eq!(b.to_string().parse(), Ok(b));
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,20}", digits in "[0-9]{11,13}(-[0-9]{3,5})?") {
        for text in [text, digits] {
            if let Ok(code) = text.parse::<RegionCode>() {
                prop_assert_eq!(code.to_string(), text.clone());
            }
            let _: Result<protocols::terminal::TerminalId, _> = text.parse();
            let _: Result<Topic, _> = text.parse();
        }
    }

    #[test]
    fn the_bitmap_names_exactly_its_numbers(
        part in partial(),
        numbers in proptest::collection::vec(0_u16..1_100, 0..40),
    ) {
        let bitmap = PartialVillage::new(part.village, numbers.iter().copied());
        let legal: BTreeSet<u16> =
            numbers.into_iter().filter(|n| (1..=1_024).contains(n)).collect();
        for number in 0..=1_100 {
            prop_assert_eq!(bitmap.names(number), legal.contains(&number));
        }
        prop_assert_ne!(bitmap.bitmap.last(), Some(&0));
        prop_assert!(bitmap.bitmap.len() <= 128);
    }

    #[test]
    fn topics_are_read_back(region in region(), id in terminal()) {
        for topic in topics(region, id) {
            prop_assert_eq!(topic.to_string().parse(), Ok(topic));
        }
    }

    #[test]
    fn a_terminal_hears_its_lineage_and_speaks_for_itself_alone(id in terminal(), other in terminal()) {
        let filters = terminal_filters(id);
        prop_assert_eq!(filters.len(), 16);
        for filter in &filters {
            let topic: Topic = filter.parse().expect("filters are plain topics");
            prop_assert!(!topic.may_publish(id));
        }
        for topic in topics(id.village(), id) {
            prop_assert!(topic.may_publish(other) <= (id == other));
            prop_assert!(topic.may_publish(id) != filters.contains(&topic.to_string()));
        }
    }
}

fn topics(region: RegionCode, id: protocols::terminal::TerminalId) -> [Topic; 11] {
    [
        Topic::RegionOrder(region),
        Topic::RegionCommand(region),
        Topic::RegionRevocation(region),
        Topic::TerminalOrder(id),
        Topic::TerminalCommand(id),
        Topic::TerminalReply(id),
        Topic::TerminalAck(id),
        Topic::TerminalHello(id),
        Topic::TerminalReceipt(id),
        Topic::TerminalVitals(id),
        Topic::TerminalStatus(id),
    ]
}

#[test]
fn a_dispatcher_hears_what_terminals_say() {
    let expected = ["hello", "receipt", "vitals", "status"];
    assert_eq!(dispatcher_filters(), expected.map(|leaf| format!("tongluo/1/terminal/+/{leaf}")));
}
