//! The edge node's own commands, as the person in the village runs them: real processes, a real
//! dispatcher, sound by content.

mod doctor;
mod journal;
mod rig;
mod run;
mod say;
