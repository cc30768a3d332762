//! A terminal written from `protocols/docs/wire.md` alone, in another language, against the real
//! dispatcher: where the page, this terminal and our own code differ, one of them is wrong.

mod city;
mod forge;
mod forgeries;
mod life;
mod vectors;
mod vendor;
mod wire_tap;
