//! Every message the writer makes passes our schema, by xmllint; and what the schema refuses the
//! reader never accepts.

use std::path::PathBuf;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use protocols::cap::{self, Verdict};

use crate::arbitrary::alert;
use crate::fixtures::{TYPHOON, fixture};
use crate::xmllint::{own_schema, passing};

fn write_all(folder: &std::path::Path, documents: &[Vec<u8>]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let file = folder.join(format!("{index}.xml"));
        std::fs::write(&file, document).expect("the folder is ours");
        files.push(file);
    }
    files
}

#[test]
fn every_written_message_passes_our_schema() {
    let mut runner = TestRunner::deterministic();
    let mut documents = Vec::new();
    for _ in 0..200 {
        let alert = alert().new_tree(&mut runner).expect("a message").current();
        documents.push(cap::write(&alert).expect("is written"));
    }
    for name in ["typhoon-red.xml", "rainstorm-gb18030.xml", "rainstorm-polygon.xml"] {
        let alert = cap::read(&fixture(name)).alert.expect("reads");
        documents.push(cap::write(&alert).expect("is written"));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let files = write_all(folder.path(), &documents);
    let Some(passing) = passing(&own_schema(), &files) else { return };
    for (file, is_passing) in files.iter().zip(passing) {
        let text = std::fs::read_to_string(file).expect("written above");
        assert!(is_passing, "{text}");
    }
}

/// The typhoon warning with one line left out, doubled, emptied, moved, padded or renamed.
fn mutants() -> Vec<Vec<u8>> {
    let lines = TYPHOON.lines().collect::<Vec<_>>();
    let mut mutants = Vec::new();
    for index in 2..lines.len() - 1 {
        let line = lines[index];
        let with = |middle: String| {
            let before = lines[..index].join("\n");
            format!("{before}\n{middle}\n{}", lines[index + 1..].join("\n")).into_bytes()
        };
        mutants.push(with(String::new()));
        mutants.push(with(format!("{line}{line}")));
        mutants.push(with(line.to_lowercase()));
        if let (Some(open), Some(close)) = (line.find('>'), line.rfind("</")) {
            let (start, end) = (&line[..=open], &line[close..]);
            let text = line.get(open + 1..close).unwrap_or("");
            for text in [
                String::new(),
                " ".to_owned(),
                format!(" {text}\n"),
                format!("{text}<!-- -->"),
                format!("<![CDATA[{text}]]>"),
                format!("{text}x"),
                format!("{text}<x/>"),
                text.to_lowercase(),
                text.to_uppercase(),
                text.replace("+08:00", "Z"),
                text.replace("+08:00", ""),
                text.replace("+08:00", ".0+08:00"),
                text.replace("+08:00", ",08:00"),
                text.replace("T09:00:00", "T24:00:00"),
                text.replace("-08-", "-02-").replace("-15T", "-30T"),
            ] {
                mutants.push(with(format!("{start}{text}{end}")));
            }
            mutants.push(with(line.replacen('>', " a='b'>", 1)));
            for uri in ["a b", "%zz", "a#b#c", "http://[", "1a:b", "http://h:x/", "a|b", "台风"] {
                mutants.push(with(format!("{line}<web>{uri}</web>")));
            }
        }
    }
    mutants
}

#[test]
fn what_the_schema_refuses_is_never_accepted_and_what_it_takes_is_never_called_a_breach() {
    let mutants = mutants();
    let folder = tempfile::tempdir().expect("a folder");
    let files = write_all(folder.path(), &mutants);
    let Some(passing) = passing(&own_schema(), &files) else { return };
    let mut differing = Vec::new();
    for ((file, document), is_passing) in files.iter().zip(&mutants).zip(passing) {
        let reading = cap::read(document);
        // Beyond the schema: what names the message must not be empty.
        let is_breach = reading
            .findings
            .iter()
            .any(|finding| finding.level != cap::Level::Note && BREACHES.contains(&finding.code));
        let is_wrong = if is_passing { is_breach } else { reading.verdict == Verdict::Accept };
        if is_wrong {
            let text = String::from_utf8_lossy(document).into_owned();
            let line = text.lines().zip(TYPHOON.lines()).find(|(a, b)| a != b);
            differing.push(format!(
                "{} passes: {is_passing} {line:?} {:?}",
                file.display(),
                reading.findings
            ));
        }
    }
    assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n"));
}

/// Rules that say the same as the schema.
const BREACHES: [&str; 18] = [
    "missing",
    "repeated",
    "enum_value",
    "not_text",
    "time_z",
    "time_fraction",
    "time_no_offset",
    "time_malformed",
    "language_malformed",
    "uri_malformed",
    "integer_malformed",
    "decimal_malformed",
    "order",
    "unknown_element",
    "foreign_element",
    "attribute",
    "stray_text",
    "not_well_formed",
];
