//! The SQL texts in the sources of the store, read from the sources themselves, and the rules that
//! hold for every one of them.

use std::collections::BTreeSet;
use std::path::Path;

use dispatcher::store::Engine;
use dispatcher::store::migrations::MIGRATIONS;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};

/// First words by which a text is known as SQL.
const VERBS: [&str; 10] =
    ["select", "insert", "update", "delete", "create", "drop", "alter", "pragma", "do", "vacuum"];

/// A text of SQL and the function in which it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Statement {
    pub(crate) file: String,
    pub(crate) function: String,
    /// As it stands in the source. `{…}` is what `format!` fills in.
    pub(crate) sql: String,
}

impl Statement {
    /// Whether `executed` is this statement.
    pub(crate) fn is(&self, executed: &str) -> bool {
        let mut pieces = Vec::new();
        let mut rest = self.sql.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            pieces.push(before);
            rest = after.split_once('}').map_or("", |(_, after)| after);
        }
        if pieces.is_empty() {
            return executed == self.sql;
        }
        let mut place = 0;
        let is_there = pieces.iter().all(|piece| {
            let found = executed[place..].find(piece);
            place += found.unwrap_or(0) + piece.len();
            found.is_some()
        });
        is_there && executed.starts_with(pieces[0]) && executed.ends_with(rest)
    }

    /// The one engine on which this statement has a meaning; `None` for both.
    pub(crate) fn only_on(&self) -> Option<Engine> {
        let starts = |words: &[&str]| words.iter().any(|word| self.sql.starts_with(word));
        if starts(&["pragma", "vacuum"]) {
            Some(Engine::Sqlite)
        } else if starts(&["do $$", "select pg_", "select cast(count(*) as bigint) from pg_"]) {
            Some(Engine::Postgres)
        } else {
            None
        }
    }
}

impl std::fmt::Display for Statement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} · {} · {}", self.file, self.function, self.sql)
    }
}

/// What the sources hold.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(crate) statements: Vec<Statement>,
    /// (file, function) of those that look at how many rows they changed.
    checked: BTreeSet<(String, String)>,
}

/// Every file of `dispatcher/src/store`, its own tests left out.
pub(crate) fn sources() -> Sources {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dispatcher/src/store");
    let mut paths = std::fs::read_dir(&folder)
        .expect("the store lies beside the tests")
        .map(|entry| entry.expect("readable").path())
        .collect::<Vec<_>>();
    paths.sort();
    let mut sources = Sources::default();
    for path in paths {
        assert!(path.is_file(), "the store is flat: {}", path.display());
        let file = path.file_name().expect("a file").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("UTF-8");
        read(&file, &text, &mut sources);
    }
    sources
}

fn read(file: &str, text: &str, sources: &mut Sources) {
    let parsed = syn::parse_file(text).expect("it compiles, so it parses");
    let mut reader = Reader { file, function: String::new(), sources };
    reader.visit_file(&parsed);
}

struct Reader<'s> {
    file: &'s str,
    function: String,
    sources: &'s mut Sources,
}

impl Reader<'_> {
    fn within(&mut self, function: &syn::Ident, visit: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.function, function.to_string());
        visit(self);
        self.function = outer;
    }

    fn note_check(&mut self) {
        self.sources.checked.insert((self.file.to_owned(), self.function.clone()));
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|what| what == "test")
    })
}

impl<'ast> Visit<'ast> for Reader<'_> {
    // Documentation and messages of errors are no statements.
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.within(&item.sig.ident, |reader| visit::visit_item_fn(reader, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.within(&item.sig.ident, |reader| visit::visit_impl_item_fn(reader, item));
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.within(&item.ident, |reader| visit::visit_item_static(reader, item));
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        // A constant inside a function belongs to it.
        if self.function.is_empty() {
            self.within(&item.ident, |reader| visit::visit_item_const(reader, item));
        } else {
            visit::visit_item_const(self, item);
        }
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let arguments =
            item.parse_body_with(Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated);
        for argument in arguments.iter().flatten() {
            self.visit_expr(argument);
        }
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(function) = &*call.func
            && function.path.is_ident("one")
        {
            self.note_check();
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if call.method == "rows_affected" {
            self.note_check();
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_lit_str(&mut self, literal: &'ast syn::LitStr) {
        let sql = literal.value();
        let mut words = sql.split_whitespace();
        let is_sql = words.next().is_some_and(|first| VERBS.contains(&first));
        if is_sql && words.next().is_some() {
            let (file, function) = (self.file.to_owned(), self.function.clone());
            self.sources.statements.push(Statement { file, function, sql });
        }
    }
}

/// Updates and deletions that may change no row, or many, and that is right.
const UNCOUNTED: [(&str, &str); 8] = [
    ("drill_enrolments.rs", "end_commands"), // as many as it has topics
    ("enrolments.rs", "revoke"),             // whatever codes are still open
    ("idempotency.rs", "delete_expired"),    // mostly there is none
    ("orders.rs", "end"),                    // an alert may have reached nobody
    ("regions.rs", "delete_aliases"),        // before all are written anew
    ("sessions.rs", "touch"),                // a later request was faster
    ("stops.rs", "end_commands"),            // the first of its region ends none
    ("terminal_states.rs", "note_hint"),     // a terminal that never said hello has no row
];

/// Updates of a row with a version that do not ask for it, each with its reason.
const UNVERSIONED: [(&str, &str); 4] = [
    ("alerts.rs", "hold_chain"), // changes nothing: it only takes the row's lock
    ("alerts.rs", "mark_breached"), // nothing of the alert changes but that it was announced
    ("auto_issue_rules.rs", "hold"), // changes nothing: it only takes the row's lock
    ("terminals.rs", "enrol"),   // writes over no value that was read: the code counts once
];

#[test]
fn every_statement_keeps_the_rules_of_the_store() {
    let sources = sources();
    assert!(sources.statements.len() > 120, "they are found: {}", sources.statements.len());
    let versioned = versioned_tables();
    assert!(versioned.contains("alerts") && !versioned.contains("audit"), "{versioned:?}");
    let mut broken = Vec::new();
    for statement in &sources.statements {
        broken.extend(faults(statement, &sources.checked, &versioned));
    }
    for exception in UNCOUNTED.iter().chain(&UNVERSIONED) {
        let is_there = |it: &Statement| (&*it.file, &*it.function) == *exception;
        if !sources.statements.iter().any(is_there) {
            broken.push(format!("an exception for what is not there: {exception:?}"));
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// Tables whose rows have a version.
fn versioned_tables() -> BTreeSet<&'static str> {
    let tables =
        MIGRATIONS.iter().flat_map(|migration| migration.sql.split("create table ").skip(1));
    tables
        .filter(|text| {
            text.split(");").next().is_some_and(|body| body.contains(", version bigint"))
        })
        .filter_map(|text| text.split_whitespace().next())
        .collect()
}

fn faults(
    statement: &Statement,
    checked: &BTreeSet<(String, String)>,
    versioned: &BTreeSet<&str>,
) -> Vec<String> {
    let sql = statement.sql.as_str();
    let mut faults = Vec::new();
    let mut fault = |why: &str| faults.push(format!("{why}: {statement}"));
    if sql.contains('?') {
        fault("arguments are $n on both engines");
    }
    if sql != sql.to_lowercase() {
        fault("SQL is lowercase");
    }
    for aggregate in ["sum(", "avg(", "count("] {
        for (place, _) in sql.match_indices(aggregate) {
            let before = sql[..place].trim_end();
            if !before.ends_with("cast(") && !before.ends_with("cast(coalesce(") {
                fault("an aggregate is cast, or its type differs");
            }
        }
    }
    if ["select null", ", null as", "then null", "else null"].iter().any(|null| sql.contains(null))
    {
        fault("a bare null is cast, or it has no type");
    }
    let key = (statement.file.clone(), statement.function.clone());
    let is_listed =
        |list: &[(&str, &str)]| list.iter().any(|(f, g)| (*f, *g) == (&*key.0, &*key.1));
    let is_mutation = sql.starts_with("update ") || sql.starts_with("delete ");
    if is_mutation
        && !sql.contains("returning")
        && !checked.contains(&key)
        && !is_listed(&UNCOUNTED)
    {
        fault("who changes rows looks at how many they were");
    }
    let table = sql.strip_prefix("update ").and_then(|rest| rest.split_whitespace().next());
    if table.is_some_and(|table| versioned.contains(table))
        && !(sql.contains("version = $") && sql.contains("version = version + 1"))
        && !is_listed(&UNVERSIONED)
    {
        fault("a row with a version is written over the version that was read");
    }
    faults
}

#[test]
fn a_statement_that_breaks_a_rule_is_found() {
    let text = r#"
        /// select nothing from documents
        async fn page() { q("select sum(x) from alerts where a = ?"); }
        async fn save() { q("update alerts set state = $2 where id = $1"); }
        async fn good() { one(q("update alerts set version = version + 1
where version = $1")) }
        static LONG: L = L::new(|| format!("insert into t values {rows} on conflict {}", "x"));
        #[cfg(test)] mod tests { fn f() { q("select from tests"); } }
    "#;
    let mut sources = Sources::default();
    read("probe.rs", text, &mut sources);
    let names = sources.statements.iter().map(|one| one.function.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["page", "save", "good", "LONG"]);
    let versioned = BTreeSet::from(["alerts"]);
    let count =
        |index: usize| faults(&sources.statements[index], &sources.checked, &versioned).len();
    assert_eq!([count(0), count(1), count(2), count(3)], [2, 2, 0, 0]);
    let long = &sources.statements[3];
    assert!(long.is("insert into t values ($1), ($2) on conflict do nothing"));
    assert!(!long.is("insert into t values ($1)"));
}

#[test]
fn no_statement_is_put_together_by_a_builder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dispatcher/src/store");
    for entry in std::fs::read_dir(folder).expect("the store") {
        let path = entry.expect("readable").path();
        let text = std::fs::read_to_string(&path).expect("UTF-8");
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let builders = code.filter(|line| line.contains("QueryBuilder")).count();
        assert_eq!(builders, 0, "{} uses a builder, which writes ?", path.display());
    }
}
