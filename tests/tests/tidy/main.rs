//! The house rules that a compiler does not check: walls between layers, sizes, words, freshness.

mod glossary;
mod layers;
mod sizes;
mod sources;
mod tree;
mod words;
