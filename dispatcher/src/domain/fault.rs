//! What is wrong with one field of a request, in both languages of the console.

/// A rule that one field breaks. Several are collected, so that an officer mends all at once.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Fault {
    /// JSON pointer of the field, such as `/texts/0/instruction`.
    pub pointer: String,
    /// The rule in a few words joined by hyphens: stable, for programs.
    pub rule: String,
    /// The reason in Chinese.
    pub zh: String,
    /// The reason in English.
    pub en: String,
}

impl Fault {
    /// A fault of the field at `pointer`.
    pub fn new(
        pointer: impl Into<String>,
        rule: &str,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self { pointer: pointer.into(), rule: rule.to_owned(), zh: zh.into(), en: en.into() }
    }
}
