//! Administrative divisions: the 12-digit code of the National Bureau of Statistics (NBS).
//!
//! The NBS list is the only one with villages, and the only space in which a prefix means
//! containment. Codes of the Ministry of Civil Affairs (MCA) are aliases and are resolved before
//! they get here: [`AliasTable`] does it.

mod alias;
mod code;

pub use alias::{Alias, AliasFault, AliasTable, CodeMeaning, CodeScheme, McaCode};
pub use code::{ParseRegionError, RegionCode, RegionLevel};
