//! Properties: the playout order is total; no bytes of a stranger make a sound; time and faults in
//! any order break no rule.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;

use jiff::Timestamp;
use proptest::prelude::*;
use protocols::alert::{AlertColor, AlertReference, BroadcastKind};
use protocols::digest::Digest;
use protocols::order::{Order, Purpose, Repeats};
use protocols::priority::{Precedence, Priority};
use protocols::region::RegionLevel;
use protocols::wire::{Topic, terminal_filters};

use super::rig::{
    CITY, DISTRICT, Rig, TOWN, VILLAGE, about, colored, order, region, sealed, terminal,
};
use crate::engine::io::{SoundFailure, SoundOutcome};

const COLORS: [Option<AlertColor>; 5] = [
    None,
    Some(AlertColor::Blue),
    Some(AlertColor::Yellow),
    Some(AlertColor::Orange),
    Some(AlertColor::Red),
];

fn priorities() -> impl Strategy<Value = Priority> {
    let kinds = [
        BroadcastKind::Routine,
        BroadcastKind::Test,
        BroadcastKind::Exercise,
        BroadcastKind::Actual,
        BroadcastKind::LiveTalk,
    ];
    (
        prop::sample::select(kinds.to_vec()),
        prop::sample::select(COLORS.to_vec()),
        prop::sample::select(RegionLevel::ALL.to_vec()),
        0_i64..3,
        0_u8..3,
    )
        .prop_map(|(kind, color, level, sent, digest)| Priority {
            precedence: Precedence { kind, color },
            level,
            sent: Timestamp::from_second(sent).expect("in the calendar"),
            digest: Reverse(Digest([digest; 32])),
        })
}

proptest! {
    #[test]
    fn the_playout_order_is_total(a in priorities(), b in priorities(), c in priorities()) {
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a.cmp(&b) == Ordering::Equal, a == b);
        if a <= b && b <= c {
            prop_assert!(a <= c);
        }
        if a.cuts_in_on(&b) {
            prop_assert!(a > b && !b.cuts_in_on(&a));
        }
    }

    #[test]
    fn bytes_of_a_stranger_never_panic_and_never_sound(
        topic in 0_usize..16,
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut rig = Rig::new();
        let topic: Topic = terminal_filters(terminal())[topic].parse().expect("ours");
        rig.send(topic, bytes);
        prop_assert!(rig.plays.is_empty());
    }

    #[test]
    fn a_changed_order_never_sounds(place in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let mut rig = Rig::new();
        let mut bytes = sealed(&order(TOWN, 1));
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        rig.send(Topic::RegionOrder(region(TOWN)), bytes);
        prop_assert!(rig.plays.is_empty());
    }
}

/// One thing that happens to a terminal.
#[derive(Debug, Clone)]
enum Happening {
    Order { number: u64, color: usize, repeats: u8 },
    Withdraw(u64),
    Finish,
    Fail,
    LocalStop,
    Pass(u64),
    PowerCut,
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let one = prop_oneof![
        3 => (1_u64..12, 0_usize..5, 1_u8..4).prop_map(|(number, color, repeats)| {
            Happening::Order { number, color, repeats }
        }),
        1 => (1_u64..12).prop_map(Happening::Withdraw),
        4 => Just(Happening::Finish),
        1 => Just(Happening::Fail),
        1 => Just(Happening::LocalStop),
        3 => (1_u64..120).prop_map(Happening::Pass),
        1 => Just(Happening::PowerCut),
    ];
    prop::collection::vec(one, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever happens, power cuts included: a sounding that finished is never heard again, none
    /// is heard after its alert was withdrawn, and receipts keep their numbers.
    #[test]
    fn once_means_once(happenings in happenings()) {
        let mut rig = Rig::new();
        let mut finished: Vec<(Digest, u8)> = Vec::new();
        let mut orders = std::collections::BTreeMap::new();
        let mut withdrawn = Vec::new();
        for happening in happenings {
            let heard = rig.plays.len();
            let sounding = rig.plays.last().map(|played| (played.order, played.repeat));
            match happening {
                Happening::Order { number, color, repeats } => {
                    let order = orders.entry(number).or_insert_with(|| {
                        let mut order = colored(TOWN, number, COLORS[color]);
                        order.repeats = Repeats { times: repeats, interval_s: 10 };
                        order
                    });
                    let order = order.clone();
                    rig.order(&order);
                }
                Happening::Withdraw(number) => {
                    if let Some(alert) = orders.get(&number) {
                        let closing = about(
                            Purpose::Withdrawn, number + 100, alert, TOWN,
                        );
                        withdrawn.push(Digest::of(&sealed(alert)));
                        rig.order(&closing);
                    }
                }
                Happening::Finish if rig.running.is_some() => {
                    finished.extend(sounding);
                    rig.finish();
                }
                Happening::Fail if rig.running.is_some() => {
                    rig.end(SoundOutcome::Failed(SoundFailure::NoAudioDevice));
                }
                Happening::Finish | Happening::Fail => {}
                Happening::LocalStop => rig.put(crate::engine::io::Input::LocalStop),
                Happening::Pass(seconds) => rig.pass_s(seconds),
                Happening::PowerCut => {
                    rig = rig.after_power_cut();
                    rig.boot(true);
                    rig.connect();
                    rig.answer();
                }
            }
            for played in rig.plays.iter().skip(heard.min(rig.plays.len())) {
                prop_assert!(!finished.contains(&(played.order, played.repeat)));
                prop_assert!(!withdrawn.contains(&played.order));
            }
            let mut numbers: Vec<_> = rig.receipts.iter().map(|(number, _)| *number).collect();
            numbers.sort_unstable();
            prop_assert_eq!(&numbers, &(1..=numbers.len() as u64).collect::<Vec<_>>());
        }
    }
}

/// Alerts, updates and closings of three authorities about each other, in and out of area.
fn family() -> impl Strategy<Value = Vec<Order>> {
    let authority = prop::sample::select(vec![TOWN, DISTRICT, CITY]);
    let one = (authority, 0_u8..4, any::<[prop::sample::Index; 2]>(), prop::bool::weighted(0.7));
    prop::collection::vec(one, 2..7).prop_map(|all| {
        let mut family: Vec<Order> = Vec::new();
        for (number, (authority, purpose, named, is_meant)) in (1..).zip(all) {
            let mut one = order(authority, number);
            one.repeats = Repeats { times: 20, interval_s: 3_600 };
            if purpose > 0 && !family.is_empty() {
                one.purpose = if purpose == 3 { Purpose::Withdrawn } else { Purpose::Update };
                let named: BTreeSet<_> = named.iter().map(|n| n.index(family.len())).collect();
                let reference = |at: usize| AlertReference {
                    key: family[at].alert.clone(),
                    digest: family[at].alert_digest,
                };
                one.references = named.into_iter().map(reference).collect();
            }
            if !is_meant {
                one.target.excluded = vec![region(VILLAGE)];
            }
            family.push(one);
        }
        family
    })
}

/// The orders that name only what their authority may end, through all they name.
fn by_right(family: &[Order]) -> BTreeSet<Digest> {
    let mut by_right: Vec<&Order> = Vec::new();
    for order in family {
        let may = |reference: &AlertReference| {
            by_right.iter().any(|named| {
                named.alert == reference.key
                    && order.stream.authority.contains(named.stream.authority)
            })
        };
        if order.references.iter().all(may) {
            by_right.push(order);
        }
    }
    by_right.into_iter().map(|order| Digest::of(&sealed(order))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// What is left to sound follows from what has arrived, not from the order of arrival.
    #[test]
    fn the_order_of_arrival_does_not_matter(
        (family, shuffled) in family().prop_flat_map(|family| {
            (Just(family.clone()), Just(family).prop_shuffle())
        }),
    ) {
        let by_right = by_right(&family);
        let left = |orders: &[Order]| {
            let mut rig = Rig::new();
            let closings: Vec<_> = orders
                .iter()
                .map(|order| (order.purpose.is_closing(), rig.order(order)))
                .filter_map(|(is_closing, digest)| is_closing.then_some(digest))
                .collect();
            let mut live = rig.live();
            // Whether a closing speaks depends on what was heard before it, and an order that names
            // another's alert without right may end with that alert or be refused.
            live.retain(|digest| !closings.contains(digest) && by_right.contains(digest));
            live
        };
        prop_assert_eq!(left(&family), left(&shuffled));
    }
}
