//! Decoders that live in the programs: region lists, bodies of alerts, journals, sound.

use std::sync::{Arc, LazyLock};

use decoders::Decoder;
use dispatcher::domain::alert::content::AlertContent;
use dispatcher::domain::alert::validation;
use dispatcher::domain::regions::{
    RegionTree, XIAMEN_ALIASES, XIAMEN_REGIONS, parse_aliases, parse_regions, xiamen,
};
use dispatcher::domain::targeting::{PlaceTable, TerminalIndex, resolve};
use dispatcher::http::refusal;
use edge_node::shell::audio::opus_file::OpusClip;
use edge_node::shell::audio::{STEP, Source as _, wav};
use edge_node::shell::journal;
use protocols::limits::CLIP_BYTES_MAX;
use protocols::region::RegionCode;
use tests::harness::clock;

pub(crate) const DECODERS: &[Decoder] = &[
    Decoder {
        name: "region-list",
        bytes_max: 64 * 1024,
        seeds: || vec![head_of(XIAMEN_REGIONS, 60)],
        words: &["350200000000", ",village,", "\"", "[[24.6,118.0]", "1e999", "\u{feff}code"],
        read: |bytes| {
            if let Ok(regions) = parse_regions(bytes) {
                assert!(!regions.is_empty(), "a list that names no region is refused");
            }
        },
    },
    Decoder {
        name: "alias-list",
        bytes_max: 64 * 1024,
        seeds: || vec![head_of(XIAMEN_ALIASES, 60)],
        words: &["350200", "9999-12-31", "-9999-01-01", "\"", ",,"],
        read: |bytes| {
            let regions = CITY.iter().map(|region| region.code);
            std::hint::black_box(&parse_aliases(bytes, regions));
        },
    },
    Decoder {
        name: "alert-body",
        bytes_max: 64 * 1024,
        seeds: || vec![ALERT.as_bytes().to_vec()],
        words: &[
            "\"polygons\":",
            "\"circles\":",
            "-90",
            "180.0",
            "1e308",
            "[[",
            "]]",
            "null",
            "\\u0000",
        ],
        read: alert_body,
    },
    Decoder {
        name: "journal-file",
        bytes_max: 64 * 1024,
        seeds: || vec![journal_file()],
        words: &[],
        read: |bytes| {
            let Some(contents) = journal::read(bytes) else { return };
            assert_eq!(contents.whole_bytes + contents.torn_bytes, bytes.len() as u64);
        },
    },
    Decoder {
        name: "clip",
        bytes_max: CLIP_BYTES_MAX,
        seeds: || vec![clip()],
        words: &["OggS", "OpusHead", "OpusTags"],
        read: |bytes| {
            let Ok(mut clip) = OpusClip::open(Arc::from(bytes)) else { return };
            let mut step = [0.0; STEP];
            while clip.read(&mut step) > 0 {
                assert!(step.iter().all(|sample| !sample.is_nan()), "no sample is not a number");
            }
        },
    },
    Decoder {
        name: "wav",
        bytes_max: 64 * 1024,
        seeds: || vec![wav_file()],
        words: &["RIFF", "WAVE", "fmt ", "data", "LIST"],
        read: |bytes| {
            std::hint::black_box(&wav::read(bytes).is_ok());
        },
    },
];

static CITY: LazyLock<Vec<dispatcher::domain::regions::Region>> = LazyLock::new(xiamen);

/// The city as alerts are resolved against, without terminals.
static TREE: LazyLock<(RegionTree, TerminalIndex)> = LazyLock::new(|| {
    let tree = RegionTree::new(xiamen());
    let index = TerminalIndex::build(Vec::new(), &tree);
    (tree, index)
});

const ALERT: &str = r#"{
    "kind": "actual", "color": "orange", "event": "11B03",
    "texts": [{ "language": "zh-CN", "headline": "暴雨", "description": "大雨", "instruction": "请转移" }],
    "area": {
        "regions": ["350211102000"],
        "excluded": ["350211102201"],
        "polygons": [[
            { "lat": 24.6, "lon": 117.975 }, { "lat": 24.6, "lon": 118.02 },
            { "lat": 24.625, "lon": 118.02 }, { "lat": 24.625, "lon": 117.975 }
        ]],
        "circles": [{ "center": { "lat": 24.6, "lon": 118.0 }, "radius_m": 1500 }]
    },
    "repeats": { "times": 2, "interval_s": 60 }, "wants_out_of_area": true
}"#;

/// A body as the API reads it, then every rule and the whole resolution of its area.
fn alert_body(bytes: &[u8]) {
    let Ok(content) = refusal::read::<AlertContent>(bytes) else { return };
    let region = RegionCode::new(350_200_000_000).expect("the city");
    let frame = validation::Frame { region, predecessors: 0, now: clock::now() };
    std::hint::black_box(&validation::faults(&content, &frame));
    std::hint::black_box(&content.digest(region, None));
    let (tree, index) = &*TREE;
    let table = PlaceTable { tree, terminals: index };
    std::hint::black_box(&resolve(&content.area, region, table, 3_000).is_ok());
}

fn head_of(text: &str, lines: usize) -> Vec<u8> {
    text.lines().take(lines).collect::<Vec<_>>().join("\n").into_bytes()
}

fn journal_file() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let (mut journal, _) = journal::Journal::open(&path).expect("a new journal");
    for record in [&b"one"[..], b"another", &[0; 300]] {
        journal.append(record).expect("room on the disk");
    }
    drop(journal);
    std::fs::read(&path).expect("the journal")
}

/// A tenth of a second of a tone.
fn samples() -> Vec<f32> {
    (0..4_800_u16).map(|n| (f32::from(n) * 0.05).sin() * 0.5).collect()
}

fn clip() -> Vec<u8> {
    dispatcher::audio::opus_file::encode(&samples()).expect("a tone is sound")
}

fn wav_file() -> Vec<u8> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 22_050,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = std::io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut file, spec).expect("a writer in memory");
    for sample in samples() {
        writer.write_sample((sample * 32_000.0) as i16).expect("memory");
    }
    writer.finalize().expect("memory");
    file.into_inner()
}
