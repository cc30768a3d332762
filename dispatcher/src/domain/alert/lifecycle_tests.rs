//! The lifecycle by example and by random sequences of steps.

use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn person(name: &str) -> PersonId {
    PersonId(name.to_owned())
}

fn content(version: u8) -> Digest {
    Digest::of(&[version])
}

fn later(minutes: i64) -> Timestamp {
    NOW + SignedDuration::from_mins(minutes)
}

fn submitted(needed: PersonsNeeded) -> Lifecycle {
    Lifecycle::draft(Some(person("wang")))
        .submit(&person("wang"), content(1), needed, NOW)
        .expect("a draft can be submitted")
}

#[test]
fn one_officer_issues_what_takes_one_person() {
    let alert = submitted(PersonsNeeded::One);
    assert_eq!(alert.state(), "approved");
    let issued = alert.issue(&person("wang"), content(1), PersonsNeeded::One, NOW, later(60));
    assert_eq!(issued.expect("issued").state(), "issued");
}

#[test]
fn an_author_never_approves_and_one_person_counts_once() {
    let alert = submitted(PersonsNeeded::AuthorAndTwo);
    assert_eq!(
        alert.clone().approve(&person("wang"), content(1), "ok", NOW),
        Err(LifecycleError::IsAuthor)
    );
    let once = alert.approve(&person("li"), content(1), "ok", NOW).expect("approved");
    assert_eq!(once.state(), "submitted");
    assert_eq!(
        once.clone().approve(&person("li"), content(1), "ok", NOW),
        Err(LifecycleError::ApprovedAlready)
    );
    let twice = once.approve(&person("zhao"), content(1), "ok", NOW).expect("approved");
    assert_eq!(twice.state(), "approved");
}

#[test]
fn an_approval_of_another_content_or_without_a_reason_does_not_count() {
    let alert = submitted(PersonsNeeded::AuthorAndOne);
    assert_eq!(
        alert.clone().approve(&person("li"), content(2), "ok", NOW),
        Err(LifecycleError::OtherContent)
    );
    assert_eq!(
        alert.approve(&person("li"), content(1), " ", NOW),
        Err(LifecycleError::ReasonMissing)
    );
}

#[test]
fn who_edits_becomes_an_author_and_voids_every_approval() {
    let alert = submitted(PersonsNeeded::AuthorAndOne)
        .approve(&person("li"), content(1), "ok", NOW)
        .and_then(|alert| alert.edit(&person("li")))
        .expect("an approved alert can be edited");
    assert_eq!(alert.state(), "draft");
    assert!(alert.approvals().is_empty());
    let alert = alert
        .submit(&person("wang"), content(2), PersonsNeeded::AuthorAndOne, NOW)
        .expect("submitted again");
    assert_eq!(alert.approve(&person("li"), content(2), "ok", NOW), Err(LifecycleError::IsAuthor));
}

#[test]
fn a_bystander_does_not_issue_and_a_wider_target_takes_more_persons() {
    let alert = submitted(PersonsNeeded::AuthorAndOne)
        .approve(&person("li"), content(1), "ok", NOW)
        .expect("approved");
    let issue = |by: &str, needed| {
        alert.clone().issue(&person(by), content(1), needed, NOW, later(60)).map(|a| a.state())
    };
    assert_eq!(issue("zhao", PersonsNeeded::AuthorAndOne), Err(LifecycleError::NotInvolved));
    assert_eq!(issue("li", PersonsNeeded::AuthorAndTwo), Err(LifecycleError::TooFewPersons));
    assert_eq!(issue("li", PersonsNeeded::AuthorAndOne), Ok("issued"));
    assert_eq!(issue("wang", PersonsNeeded::AuthorAndOne), Ok("issued"));
}

#[test]
fn an_emergency_issue_is_a_breach_after_thirty_minutes_until_another_person_countersigns() {
    let alert = Lifecycle::draft(Some(person("wang")))
        .issue_at_once(&person("li"), content(1), "dam breaks", NOW, later(60))
        .expect("issued at once");
    let emergency = alert.emergency().expect("an emergency").clone();
    assert!(!emergency.is_breach(later(29)) && emergency.is_breach(later(30)));
    for author in ["wang", "li"] {
        assert_eq!(
            alert.clone().countersign(&person(author), later(10)),
            Err(LifecycleError::IsAuthor)
        );
    }
    let closed = alert.expire(later(60)).expect("expired");
    let signed = closed.countersign(&person("zhao"), later(90)).expect("countersigned late");
    let emergency = signed.emergency().expect("an emergency");
    assert!(!emergency.is_breach(later(91)));
    assert!(emergency.countersigned.as_ref().is_some_and(|sign| sign.is_late));
    assert_eq!(
        signed.countersign(&person("zhou"), later(91)),
        Err(LifecycleError::NothingToCountersign)
    );
}

#[test]
fn a_rule_issues_only_what_no_person_has_touched() {
    let persons = vec![person("wang"), person("li")];
    let by_rule = |alert: Lifecycle, persons: &[PersonId]| {
        alert
            .issue_by_rule("r1", persons.to_vec(), content(1), NOW, later(60))
            .map(|alert| alert.state())
    };
    assert_eq!(by_rule(Lifecycle::draft(None), &persons), Ok("issued"));
    assert!(by_rule(Lifecycle::draft(Some(person("wang"))), &persons).is_err());
    assert!(by_rule(Lifecycle::draft(None), &[person("wang"), person("wang")]).is_err());
}

#[test]
fn an_alert_ends_once() {
    let issued = submitted(PersonsNeeded::One)
        .issue(&person("wang"), content(1), PersonsNeeded::One, NOW, later(60))
        .expect("issued");
    assert_eq!(issued.clone().expire(later(59)), Err(LifecycleError::NotExpired));
    let closed = issued.close(Closure::Withdrawn, "zhao", "mistake", later(1)).expect("withdrawn");
    let wrong = Err(LifecycleError::WrongState { state: "closed" });
    assert_eq!(closed.clone().close(Closure::Lifted, "zhao", "over", later(2)), wrong);
    assert_eq!(closed.clone().supersede("other"), wrong);
    assert_eq!(closed.edit(&person("wang")), wrong);
}

#[test]
fn every_state_survives_its_record() {
    let approved = submitted(PersonsNeeded::AuthorAndOne)
        .approve(&person("li"), content(1), "ok", NOW)
        .expect("approved");
    let issued = approved
        .clone()
        .issue(&person("li"), content(1), PersonsNeeded::AuthorAndOne, NOW, later(60))
        .expect("issued");
    let emergency = Lifecycle::draft(None)
        .issue_at_once(&person("li"), content(1), "now", NOW, later(60))
        .expect("issued at once");
    let closed = issued.clone().close(Closure::Lifted, "li", "over", later(1)).expect("lifted");
    for alert in [
        Lifecycle::draft(None),
        submitted(PersonsNeeded::AuthorAndOne),
        approved,
        issued,
        emergency,
        closed,
    ] {
        let record = serde_json::to_string(&alert).expect("a record");
        assert_eq!(serde_json::from_str::<Lifecycle>(&record).expect("reads back"), alert);
    }
}

#[derive(Debug, Clone)]
enum Act {
    Edit,
    Submit,
    TakeBack,
    Approve { is_stale: bool },
    Reject,
    Issue,
    Widen,
}

fn act() -> impl Strategy<Value = (usize, Act)> {
    let act = prop_oneof![
        1 => Just(Act::Edit),
        3 => Just(Act::Submit),
        1 => Just(Act::TakeBack),
        4 => any::<bool>().prop_map(|is_stale| Act::Approve { is_stale }),
        1 => Just(Act::Reject),
        3 => Just(Act::Issue),
        1 => Just(Act::Widen),
    ];
    (0..4_usize, act)
}

fn needed() -> impl Strategy<Value = PersonsNeeded> {
    prop_oneof![
        Just(PersonsNeeded::One),
        Just(PersonsNeeded::AuthorAndOne),
        Just(PersonsNeeded::AuthorAndTwo)
    ]
}

/// The oracle: who touched the present content, and who approved exactly it, kept apart from the
/// lifecycle's own record.
#[derive(Default)]
struct Oracle {
    version: u8,
    writers: Vec<PersonId>,
    approvers: Vec<(PersonId, u8)>,
}

proptest! {
    #[test]
    fn no_sequence_of_steps_issues_with_too_few_persons(
        first in needed(),
        acts in proptest::collection::vec(act(), 1..40),
    ) {
        let people = ["a", "b", "c", "d"].map(person);
        let mut oracle = Oracle::default();
        let mut needed = first;
        let mut alert = Lifecycle::draft(Some(people[0].clone()));
        oracle.writers.push(people[0].clone());
        for (who, act) in acts {
            let by = &people[who];
            let shown = content(oracle.version);
            let before = alert.clone();
            let step = match act {
                Act::Edit => alert.clone().edit(by),
                Act::Submit => alert.clone().submit(by, shown, needed, NOW),
                Act::TakeBack => alert.clone().take_back(by),
                Act::Approve { is_stale } => {
                    let shown = if is_stale { content(oracle.version.wrapping_sub(1)) } else { shown };
                    alert.clone().approve(by, shown, "ok", NOW)
                }
                Act::Reject => alert.clone().reject(by, "no", NOW),
                Act::Issue => alert.clone().issue(by, shown, needed, NOW, later(1)),
                Act::Widen => {
                    needed = PersonsNeeded::AuthorAndTwo;
                    continue;
                }
            };
            let Ok(next) = step else { continue };
            match act {
                Act::Edit => {
                    oracle.version += 1;
                    oracle.writers.push(by.clone());
                    prop_assert!(next.approvals().is_empty(), "an approval survived an edit");
                }
                Act::Submit => oracle.writers.push(by.clone()),
                Act::Approve { is_stale } => {
                    prop_assert!(!is_stale, "a stale approval counted");
                    oracle.approvers.push((by.clone(), oracle.version));
                }
                Act::TakeBack | Act::Reject => {
                    prop_assert!(next.approvals().is_empty(), "an approval survived");
                    oracle.approvers.clear();
                }
                Act::Issue | Act::Widen => {}
            }
            if next.state() == "issued" {
                let mut approvers = oracle
                    .approvers
                    .iter()
                    .filter(|(by, version)| {
                        *version == oracle.version && !oracle.writers.contains(by)
                    })
                    .map(|(by, _)| by)
                    .collect::<Vec<_>>();
                approvers.sort();
                approvers.dedup();
                prop_assert!(approvers.len() >= needed.approvals(), "{approvers:?} for {needed:?}");
                prop_assert!(
                    oracle.writers.contains(by) || approvers.contains(&by),
                    "issued by a bystander"
                );
                prop_assert_eq!(before.state(), "approved");
                return Ok(());
            }
            alert = next;
        }
    }
}
