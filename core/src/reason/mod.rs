//! Why a request was refused or let through: one table, from which logs, metrics, replies, the block
//! page and `docs/reasons.md` all derive.

use std::fmt;

/// What one reason says, and to whom.
#[derive(Debug)]
struct Row {
    code: &'static str,
    /// The reply's status; 0 where the app answers.
    status: u16,
    /// `error` in JSON.
    title: &'static str,
    /// `message` in JSON and the sentence of the block page.
    message: &'static str,
    /// The same sentence in French.
    french: &'static str,
    /// Both, where no platform opens the module.
    alone: Option<[&'static str; 2]>,
    /// For operators: what happened and where to look.
    meaning: &'static str,
}

macro_rules! reasons {
    ($($variant:ident $code:literal $status:literal
        $title:literal $message:literal $french:literal
        $(alone $own_message:literal $own_french:literal)?
        $meaning:literal)+) => {
        /// Why a request was refused or let through.
        ///
        /// The codes are an interface: logs, metrics and the `vigile-reason` header carry them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $(#[doc = $meaning] $variant,)+
        }

        impl Reason {
            /// Every reason, in the order of the pipeline.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant),+];

            pub(super) const fn row(self) -> &'static Row {
                match self {
                    $(Reason::$variant => &Row {
                        code: $code, status: $status, title: $title,
                        message: $message, french: $french, meaning: $meaning,
                        alone: reasons!(@alone $($own_message $own_french)?),
                    },)+
                }
            }
        }
    };
    (@alone) => { None };
    (@alone $message:literal $french:literal) => { Some([$message, $french]) };
}

mod table;

pub use table::Reason;

impl Reason {
    /// Its place in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The stable name: `token.expired`.
    pub const fn code(self) -> &'static str {
        self.row().code
    }

    /// The reply's status; 0 where the app answers.
    pub const fn status(self) -> u16 {
        self.row().status
    }

    /// Whether this reason turns a caller away.
    pub const fn refuses(self) -> bool {
        self.status() >= 400
    }

    /// A few words in English, `error` in JSON.
    pub const fn title(self) -> &'static str {
        self.row().title
    }

    /// The sentence for the caller; `alone`: of a module that no platform opens.
    pub(crate) fn message(self, language: Language, alone: bool) -> &'static str {
        let row = self.row();
        let [english, french] = row.alone.filter(|_| alone).unwrap_or([row.message, row.french]);
        match language {
            Language::English => english,
            Language::French => french,
        }
    }

    /// For operators: what happened, and where to look.
    pub const fn meaning(self) -> &'static str {
        self.row().meaning
    }

    /// Whether even `mode: observe` refuses it: what cannot be read or could mean two things.
    pub(crate) const fn holds_when_observed(self) -> bool {
        matches!(
            self,
            Self::RequestMalformed
                | Self::PathInvalid
                | Self::PathTooLong
                | Self::PathAmbiguous
                | Self::MethodAmbiguous
                | Self::CredentialRepeated
                | Self::CredentialConflict
                | Self::BodyUnfinished
        )
    }

    /// The reason with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A language that refusals speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    French,
}

#[cfg(test)]
mod tests {
    use super::Reason;

    #[test]
    fn codes_are_unique_and_fit_a_metric_name() {
        for (at, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(Reason::from_code(reason.code()), Some(*reason));
            assert_eq!(reason.index(), at);
            assert!(Reason::ALL.iter().skip(at + 1).all(|other| other.code() != reason.code()));
            assert!(
                reason.code().bytes().all(|b| b.is_ascii_lowercase() || b == b'.' || b == b'_')
            );
        }
    }

    #[test]
    fn every_refusal_has_its_words() {
        for reason in Reason::ALL.iter().filter(|reason| reason.refuses()) {
            let row = reason.row();
            let alone = row.alone.unwrap_or([row.message, row.french]);
            assert!(![row.title, row.message, row.french, row.meaning].contains(&""), "{reason}");
            // A module with `embed` has a page that opens it.
            let framed = *reason == Reason::EmbedTopLevel;
            assert!(framed || !alone.iter().any(|text| text.contains("platform")), "{reason}");
            assert!(framed || !alone.iter().any(|text| text.contains("plateforme")), "{reason}");
        }
    }
}
