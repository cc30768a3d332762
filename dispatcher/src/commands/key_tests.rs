//! The commands from files to files, as they are typed.

use std::os::unix::fs::PermissionsExt as _;

use clap::Parser as _;

use super::*;
use crate::config::trust::TrustConfig;

#[derive(Debug, clap::Parser)]
struct Line {
    #[command(subcommand)]
    command: KeyCommand,
}

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().expect("a folder"));
        desk.good("root --out @/roots");
        desk.good(
            "delegate --root @/roots/root-active.key --region 350200000000 --name 厦门 --days 40 \
             --out @/data",
        );
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn config(&self, data: &str) -> TrustConfig {
        TrustConfig {
            key_file: self.path("data").join("dispatcher.key"),
            certificate_file: self.path(data).join("dispatcher.cert"),
            roots_file: self.path("roots/roots.pub"),
        }
    }

    /// Types `key <words>`, where `@` is the folder.
    fn run(&self, words: &str) -> anyhow::Result<ExitCode> {
        let folder = self.0.path().display().to_string();
        let words = words.split_whitespace().map(|word| word.replace('@', &folder));
        let line = Line::try_parse_from(std::iter::once("key".to_owned()).chain(words))?;
        let config = || {
            let mut config = Config { trust: self.config("data"), ..Config::default() };
            config.database.url = format!("sqlite:{folder}/t.db");
            Ok(config)
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(run(config, &line.command))
    }

    fn good(&self, words: &str) {
        let done = self.run(words).expect("done");
        assert_eq!(done, ExitCode::SUCCESS, "{words}");
    }

    fn bad(&self, words: &str) {
        let done = self.run(words);
        assert!(done.is_err() || done.is_ok_and(|code| code == ExitCode::FAILURE), "{words}");
    }
}

#[test]
fn what_root_and_delegate_make_a_dispatcher_can_serve_with_and_nothing_is_written_over() {
    let desk = Desk::new();
    let signer = Signer::load(&desk.config("data")).expect("usable");
    assert_eq!(signer.region().to_string(), "350200000000");
    assert_eq!(signer.roots().keys().len(), 2);
    for private in ["roots/root-active.key", "roots/root-spare.key", "data/dispatcher.key"] {
        let mode = std::fs::metadata(desk.path(private)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{private}");
        assert_eq!(crate::signer::open_to_others(&desk.path(private)), None);
    }
    let wide = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(desk.path("data/dispatcher.key"), wide).expect("set");
    let seen = crate::signer::open_to_others(&desk.path("data/dispatcher.key"));
    assert_eq!(seen, Some(0o640));
    desk.bad("root --out @/roots");
    desk.bad(
        "delegate --root @/roots/root-active.key --region 350200000000 --name 厦门 --out @/data",
    );
}

#[test]
fn the_spare_root_renews_what_the_active_one_delegated_and_the_key_may_stay() {
    let desk = Desk::new();
    let rotate = "rotate --certificate @/data/dispatcher.cert --root @/roots/root-spare.key";
    desk.bad(&format!("{rotate} --out @/next"));
    assert!(!desk.path("next").exists(), "a refusal leaves nothing");
    desk.good(&format!("{rotate} --early --out @/next"));
    assert!(!desk.path("next/dispatcher.key").exists(), "the key stays");
    let old = Signer::load(&desk.config("data")).expect("usable");
    let next = Signer::load(&desk.config("next")).expect("usable with the same key");
    assert!(next.expires() > old.expires());
    desk.good(&format!("{rotate} --early --new-key --out @/other"));
    assert!(Signer::load(&desk.config("other")).is_err(), "it belongs to another key");
    desk.good("root --out @/strangers");
    desk.bad(&format!("{rotate} --early --roots @/strangers/roots.pub --out @/x"));
    desk.bad(
        "rotate --certificate @/data/dispatcher.cert --root @/strangers/root-active.key --early \
         --out @/x",
    );
}

#[test]
fn lists_rise_by_one_by_either_root_and_never_go_back() {
    let desk = Desk::new();
    let revoke = |root: &str, rest: &str| format!("revoke --root @/roots/root-{root}.key {rest}");
    desk.bad(&revoke("active", "--key 0011223344556677 --out @/1.list"));
    desk.bad(&revoke("active", "--first --key 00 --out @/1.list"));
    desk.bad(&revoke("active", "--first --out @/1.list"));
    desk.good(&revoke("active", "--first --key 0011223344556677 --out @/1.list"));
    let next = "--last @/1.list --certificate @/data/dispatcher.cert";
    desk.good(&revoke("spare", &format!("{next} --out @/2.list")));
    desk.bad(&revoke("active", &format!("{next} --out @/2.list")));
    desk.bad(&revoke("active", "--first --key 0011223344556677 --out @/2.list"));
    let roots = read_roots(&desk.path("roots/roots.pub")).expect("read");
    let list = read_list(&desk.path("2.list"), &roots).expect("a list");
    let own = Signer::load(&desk.config("data")).expect("usable").key_id();
    assert_eq!((list.number, list.keys.len()), (2, 2));
    assert!(list.keys.contains(&own));
    desk.good("import-revocations @/1.list");
    desk.good("import-revocations @/2.list");
    desk.good("import-revocations @/2.list");
    desk.bad("import-revocations @/1.list");
    desk.bad("import-revocations @/data/dispatcher.cert");
}
