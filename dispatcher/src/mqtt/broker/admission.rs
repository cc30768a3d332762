//! Who may connect, subscribe and publish on the embedded broker: pure, and everything that is
//! not named here is denied. Knows nothing of rmqtt.

use protocols::terminal::TerminalId;
use protocols::wire::{self, Topic};

/// Client id and user name of the dispatcher's connection that publishes.
pub const DISPATCHER_OUT: &str = "dispatcher-out";

/// Client id and user name of the dispatcher's connection that listens.
pub const DISPATCHER_IN: &str = "dispatcher-in";

/// Who is connected. Client id and user name are one and the same, so that nobody can take over
/// the session of somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    /// One of the two connections of the dispatcher itself.
    Dispatcher,
    /// A loudspeaker.
    Terminal(TerminalId),
}

impl Identity {
    /// The identity that a client claims; `None` for a name of neither form, or for a client id
    /// that is not the user name.
    pub(super) fn claimed(client_id: &str, user_name: Option<&str>) -> Option<Self> {
        (user_name == Some(client_id)).then(|| Self::named(client_id)).flatten()
    }

    /// The identity behind the client id of a session that was let in.
    pub(super) fn named(client_id: &str) -> Option<Self> {
        if client_id == DISPATCHER_OUT || client_id == DISPATCHER_IN {
            return Some(Self::Dispatcher);
        }
        client_id.parse().ok().map(Self::Terminal)
    }

    /// Whether this filter may be subscribed. Filters are compared literally: a permitted pattern
    /// that is written in another way is refused.
    pub(super) fn may_subscribe(self, filter: &str) -> bool {
        let permitted = match self {
            Self::Dispatcher => wire::dispatcher_filters(),
            Self::Terminal(id) => wire::terminal_filters(id),
        };
        permitted.iter().any(|one| one == filter)
    }

    /// Whether a message may be published here. Only what the protocol retains may be retained:
    /// the broker keeps one message for each such topic, for ever.
    pub(super) fn may_publish(self, topic: &str, is_retained: bool) -> bool {
        let Ok(topic) = topic.parse::<Topic>() else { return false };
        if is_retained && !topic.is_retained() {
            return false;
        }
        match self {
            Self::Dispatcher => true,
            Self::Terminal(id) => topic.may_publish(id),
        }
    }

    /// Whether this last will may be left. The broker publishes a will without asking for leave
    /// again, so it is judged when the client connects: a terminal's status, nothing else.
    pub(super) fn may_leave_will(self, topic: &str, is_retained: bool) -> bool {
        match self {
            Self::Dispatcher => false,
            Self::Terminal(id) => is_retained && topic.parse() == Ok(Topic::TerminalStatus(id)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "350212110201-0007";
    const OTHER: &str = "350212110201-0008";

    fn terminal() -> Identity {
        Identity::claimed(OWN, Some(OWN)).expect("a terminal")
    }

    #[test]
    fn a_client_id_that_is_not_the_user_name_is_nobody() {
        assert_eq!(Identity::claimed(OWN, Some(OTHER)), None);
        assert_eq!(Identity::claimed(DISPATCHER_OUT, Some(OWN)), None);
        assert_eq!(Identity::claimed(OWN, None), None);
        assert_eq!(Identity::claimed("admin", Some("admin")), None);
    }

    #[test]
    fn a_terminal_hears_its_village_and_the_regions_above_and_nothing_wider() {
        for filter in wire::terminal_filters(OWN.parse().expect("an id")) {
            assert!(terminal().may_subscribe(&filter), "{filter}");
        }
        for filter in [
            "#",
            "+/#",
            "tongluo/1/#",
            "tongluo/1/region/+/order",
            "tongluo/1/region/350212111000/order",
            "tongluo/1/terminal/350212110201-0008/reply",
            "tongluo/1/terminal/+/receipt",
            "$share/g/tongluo/1/region/350212110201/order",
            "$SYS/#",
        ] {
            assert!(!terminal().may_subscribe(filter), "{filter}");
        }
    }

    #[test]
    fn a_terminal_speaks_for_itself_and_never_gives_orders() {
        let may = |topic: &str| terminal().may_publish(topic, false);
        assert!(may("tongluo/1/terminal/350212110201-0007/receipt"));
        assert!(may("tongluo/1/terminal/350212110201-0007/hello"));
        assert!(!may("tongluo/1/terminal/350212110201-0008/receipt"));
        assert!(!may("tongluo/1/terminal/350212110201-0007/order"));
        assert!(!may("tongluo/1/region/350212110201/order"));
        assert!(!may("tongluo/1/region/350212110201/revocation"));
        assert!(!may("anything/else"));
    }

    #[test]
    fn only_status_and_revocations_are_retained() {
        assert!(terminal().may_publish("tongluo/1/terminal/350212110201-0007/status", true));
        assert!(!terminal().may_publish("tongluo/1/terminal/350212110201-0007/receipt", true));
        let dispatcher = Identity::named(DISPATCHER_OUT).expect("the dispatcher");
        assert!(dispatcher.may_publish("tongluo/1/region/350212110201/revocation", true));
        assert!(!dispatcher.may_publish("tongluo/1/region/350212110201/order", true));
        assert!(!dispatcher.may_publish("$SYS/x", false));
    }

    #[test]
    fn a_will_is_the_terminals_own_status_and_nothing_else() {
        assert!(terminal().may_leave_will("tongluo/1/terminal/350212110201-0007/status", true));
        assert!(!terminal().may_leave_will("tongluo/1/terminal/350212110201-0008/status", true));
        assert!(!terminal().may_leave_will("tongluo/1/region/350212110201/order", true));
        assert!(!terminal().may_leave_will("tongluo/1/terminal/350212110201-0007/receipt", true));
    }
}
