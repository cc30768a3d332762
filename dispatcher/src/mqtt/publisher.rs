//! What is given to the broker, in which order, and what was acknowledged: a machine without
//! sockets.
//!
//! Two lanes. Orders and commands for regions go first and always find room in flight; answers to
//! single terminals (replies, missing orders, acknowledgements) share the rest, so that ten
//! thousand loudspeakers that come back at once never delay an alert. A message is done when the
//! broker acknowledged it; when the connection is lost before that, it is sent again on the next
//! one. Duplicates are harmless: terminals know each order by its digest.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

/// Messages in flight: enough that a round trip is never waited for, few enough that packet
/// identifiers are never used twice at once.
pub const IN_FLIGHT_MAX: usize = 256;

/// Places in flight that answers leave free for orders.
const KEPT_FOR_ORDERS: usize = 64;

/// Orders waiting: one alert for a city makes fewer than 64; what does not fit stays in the
/// database and is taken up again.
pub const ORDERS_MAX: usize = 1_024;

/// Answers waiting: two for each terminal of a city that comes back at once. What does not fit
/// is asked for again by the terminal.
pub const ANSWERS_MAX: usize = 40_000;

/// How long the broker may take to acknowledge. Longer means that the connection is dead though
/// it looks alive: it is rebuilt.
pub const ACKNOWLEDGE_WITHIN: SignedDuration = SignedDuration::from_secs(10);

/// Who waits first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Orders, commands and revocations for regions.
    Orders,
    /// Answers to single terminals.
    Answers,
}

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<T> {
    /// The lane.
    pub lane: Lane,
    /// The topic.
    pub topic: String,
    /// The sealed bytes.
    pub payload: Vec<u8>,
    /// Whether the broker keeps it for late subscribers.
    pub is_retained: bool,
    /// Given back with the outcome.
    pub ticket: T,
}

/// What happens to the publisher.
#[derive(Debug)]
pub enum Input<T> {
    /// Publish this.
    Publish(Message<T>),
    /// A fresh connection; nothing of an earlier one counts on it.
    Connected,
    /// The connection is gone.
    Disconnected,
    /// The broker acknowledged what was sent as this number.
    Acknowledged(u64),
}

/// What the publisher wants.
#[derive(Debug, PartialEq, Eq)]
pub enum Output<T> {
    /// Send this on the connection.
    Send {
        /// The number to acknowledge it by; unique for the life of the machine.
        number: u64,
        /// The topic.
        topic: String,
        /// The bytes.
        payload: Vec<u8>,
        /// Whether it is retained.
        is_retained: bool,
    },
    /// The broker has it.
    Done(T),
    /// There was no room for it.
    NoRoom(T),
    /// The connection is dead: drop it and make another.
    Reconnect,
}

#[derive(Debug)]
struct InFlight<T> {
    message: Message<T>,
    sent_at: Timestamp,
}

/// The machine. `T` is the ticket of whoever waits.
#[derive(Debug)]
pub struct Publisher<T> {
    is_connected: bool,
    orders: VecDeque<Message<T>>,
    answers: VecDeque<Message<T>>,
    in_flight: BTreeMap<u64, InFlight<T>>,
    next_number: u64,
    outputs: VecDeque<Output<T>>,
}

impl<T> Default for Publisher<T> {
    fn default() -> Self {
        Self {
            is_connected: false,
            orders: VecDeque::new(),
            answers: VecDeque::new(),
            in_flight: BTreeMap::new(),
            next_number: 1,
            outputs: VecDeque::new(),
        }
    }
}

impl<T> Publisher<T> {
    /// Takes in what happened.
    pub fn handle(&mut self, now: Timestamp, input: Input<T>) {
        match input {
            Input::Publish(message) => self.accept(message),
            Input::Connected => self.is_connected = true,
            Input::Disconnected => self.disconnected(),
            Input::Acknowledged(number) => {
                if let Some(done) = self.in_flight.remove(&number) {
                    self.outputs.push_back(Output::Done(done.message.ticket));
                }
            }
        }
        self.send(now);
    }

    /// Looks at the time: an overdue acknowledgement means a dead connection.
    pub fn tick(&mut self, now: Timestamp) {
        if self.next_wakeup().is_some_and(|at| at <= now) {
            self.disconnected();
            self.outputs.push_back(Output::Reconnect);
        }
    }

    /// What is to be done next; call until `None`.
    pub fn poll(&mut self) -> Option<Output<T>> {
        self.outputs.pop_front()
    }

    /// When [`Publisher::tick`] is due.
    pub fn next_wakeup(&self) -> Option<Timestamp> {
        let oldest = self.in_flight.values().map(|one| one.sent_at).min()?;
        Some(oldest + ACKNOWLEDGE_WITHIN)
    }

    /// Messages that wait or are in flight.
    pub fn depth(&self) -> usize {
        self.orders.len() + self.answers.len() + self.in_flight.len()
    }

    fn accept(&mut self, message: Message<T>) {
        let (lane, max) = match message.lane {
            Lane::Orders => (&mut self.orders, ORDERS_MAX),
            Lane::Answers => (&mut self.answers, ANSWERS_MAX),
        };
        if lane.len() >= max {
            self.outputs.push_back(Output::NoRoom(message.ticket));
        } else {
            lane.push_back(message);
        }
    }

    fn disconnected(&mut self) {
        self.is_connected = false;
        // Sends that were not taken up yet must not reach the next connection twice.
        self.outputs.retain(|output| !matches!(output, Output::Send { .. }));
        while let Some((_, again)) = self.in_flight.pop_last() {
            match again.message.lane {
                Lane::Orders => self.orders.push_front(again.message),
                Lane::Answers => self.answers.push_front(again.message),
            }
        }
    }

    fn send(&mut self, now: Timestamp)
    where
        T: Sized,
    {
        while self.is_connected {
            let room = IN_FLIGHT_MAX.saturating_sub(self.in_flight.len());
            let message = if room > 0 && !self.orders.is_empty() {
                self.orders.pop_front()
            } else if room > KEPT_FOR_ORDERS {
                self.answers.pop_front()
            } else {
                None
            };
            let Some(message) = message else { return };
            let number = self.next_number;
            self.next_number += 1;
            self.outputs.push_back(Output::Send {
                number,
                topic: message.topic.clone(),
                payload: message.payload.clone(),
                is_retained: message.is_retained,
            });
            self.in_flight.insert(number, InFlight { message, sent_at: now });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in the calendar")
    }

    fn message(lane: Lane, ticket: u32) -> Input<u32> {
        let topic = format!("topic/{ticket}");
        Input::Publish(Message { lane, topic, payload: Vec::new(), is_retained: false, ticket })
    }

    fn drain(machine: &mut Publisher<u32>) -> Vec<Output<u32>> {
        std::iter::from_fn(|| machine.poll()).collect()
    }

    fn sent(outputs: &[Output<u32>]) -> Vec<(u64, &str)> {
        let one = |output| match output {
            &Output::Send { number, ref topic, .. } => Some((number, topic.as_str())),
            Output::Done(_) | Output::NoRoom(_) | Output::Reconnect => None,
        };
        outputs.iter().filter_map(one).collect()
    }

    #[test]
    fn nothing_is_sent_before_there_is_a_connection_and_all_after() {
        let mut machine = Publisher::default();
        machine.handle(at(0), message(Lane::Answers, 1));
        machine.handle(at(0), message(Lane::Orders, 2));
        assert!(drain(&mut machine).is_empty());
        machine.handle(at(1), Input::Connected);
        assert_eq!(sent(&drain(&mut machine)), [(1, "topic/2"), (2, "topic/1")]);
    }

    #[test]
    fn what_was_not_acknowledged_is_sent_again_on_the_next_connection() {
        let mut machine = Publisher::default();
        machine.handle(at(0), Input::Connected);
        machine.handle(at(0), message(Lane::Orders, 1));
        machine.handle(at(0), message(Lane::Orders, 2));
        assert_eq!(sent(&drain(&mut machine)).len(), 2);
        machine.handle(at(1), Input::Acknowledged(1));
        assert_eq!(drain(&mut machine), [Output::Done(1)]);
        machine.handle(at(2), Input::Disconnected);
        machine.handle(at(3), Input::Connected);
        assert_eq!(sent(&drain(&mut machine)), [(3, "topic/2")]);
        machine.handle(at(3), Input::Acknowledged(2));
        assert!(drain(&mut machine).is_empty(), "an acknowledgement of the lost connection");
        machine.handle(at(3), Input::Acknowledged(3));
        assert_eq!(drain(&mut machine), [Output::Done(2)]);
    }

    #[test]
    fn an_order_overtakes_ten_thousand_answers() {
        let mut machine = Publisher::default();
        machine.handle(at(0), Input::Connected);
        for ticket in 0..10_000 {
            machine.handle(at(0), message(Lane::Answers, ticket));
        }
        assert_eq!(sent(&drain(&mut machine)).len(), IN_FLIGHT_MAX - KEPT_FOR_ORDERS);
        machine.handle(at(0), message(Lane::Orders, 99_999));
        assert_eq!(sent(&drain(&mut machine)).len(), 1, "without any acknowledgement");
    }

    #[test]
    fn a_connection_that_never_acknowledges_is_rebuilt() {
        let mut machine = Publisher::default();
        machine.handle(at(0), Input::Connected);
        machine.handle(at(0), message(Lane::Orders, 1));
        drain(&mut machine);
        let due = machine.next_wakeup().expect("waits for an acknowledgement");
        machine.tick(at(9));
        assert!(drain(&mut machine).is_empty());
        machine.tick(due);
        assert_eq!(drain(&mut machine), [Output::Reconnect]);
        machine.handle(due, Input::Connected);
        assert_eq!(sent(&drain(&mut machine)), [(2, "topic/1")]);
    }

    #[test]
    fn a_full_lane_gives_the_message_back() {
        let mut machine = Publisher::default();
        for ticket in 0..=ORDERS_MAX as u32 {
            machine.handle(at(0), message(Lane::Orders, ticket));
        }
        assert_eq!(drain(&mut machine), [Output::NoRoom(ORDERS_MAX as u32)]);
    }

    proptest! {
        /// However the connection breaks, every message is done exactly once in the end, and none
        /// before it was acknowledged on a living connection.
        #[test]
        fn nothing_is_lost_and_nothing_done_twice(steps in prop::collection::vec(0_u8..5, 0..80)) {
            let mut machine = Publisher::default();
            let mut wire = VecDeque::new();
            let mut done = Vec::new();
            let mut ticket = 0;
            let mut collect = |machine: &mut Publisher<u32>, wire: &mut VecDeque<u64>| {
                while let Some(output) = machine.poll() {
                    match output {
                        Output::Send { number, .. } => wire.push_back(number),
                        Output::Done(ticket) => done.push(ticket),
                        Output::NoRoom(_) | Output::Reconnect => {}
                    }
                }
            };
            for step in steps {
                let input = match step {
                    0 => Input::Connected,
                    1 => { wire.clear(); Input::Disconnected }
                    2 => match wire.pop_front() {
                        Some(number) => Input::Acknowledged(number),
                        None => continue,
                    },
                    lane => {
                        ticket += 1;
                        message(if lane == 3 { Lane::Orders } else { Lane::Answers }, ticket)
                    }
                };
                machine.handle(at(0), input);
                collect(&mut machine, &mut wire);
            }
            machine.handle(at(0), Input::Connected);
            collect(&mut machine, &mut wire);
            while let Some(number) = wire.pop_front() {
                machine.handle(at(0), Input::Acknowledged(number));
                collect(&mut machine, &mut wire);
            }
            done.sort_unstable();
            prop_assert_eq!(done, (1..=ticket).collect::<Vec<_>>());
            prop_assert_eq!(machine.depth(), 0);
        }
    }
}
