//! 吊销列表: brought in from the root's machine, kept, and told to every terminal. Only a root of
//! this dispatcher can make one, and its number only rises.

use std::collections::BTreeSet;

use protocols::certificate::RevocationList;
use protocols::region::RegionCode;
use protocols::trust::{self, Roots, TrustError};
use protocols::wire::KeyId;
use serde_json::json;

use crate::app::{audit, events};
use crate::domain::actor::Actor;
use crate::ports::Ports;
use crate::store::revocations::{self, SealedList};
use crate::store::{Conn, StoreError, Tx};

/// Why a list is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is not a list, or of none of the pinned roots.
    #[error("the list is not believed: {0}")]
    NotBelieved(#[from] TrustError),
    /// One with this number or a higher one is known.
    #[error("the list has number {number}, number {known} is known already")]
    NotNewer {
        /// The refused one's.
        number: u64,
        /// The known one's.
        known: u64,
    },
    /// Beyond what the database counts.
    #[error("the number {0} is out of range")]
    Number(u64),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Imported {
    /// The list is kept and counts from now on.
    New(RevocationList),
    /// The same bytes were there already.
    Known(RevocationList),
}

/// Takes a sealed list in. `own` is the key of this dispatcher, where it is known. The caller
/// commits; a serving dispatcher finds the list by itself.
pub async fn import(
    tx: &mut Tx,
    ports: &Ports,
    actor: &Actor,
    sealed: &[u8],
    roots: &Roots,
    region: RegionCode,
    own: Option<KeyId>,
) -> Result<Imported, ImportError> {
    let list = trust::open_revocations(sealed, roots)?;
    if list.number == 0 || i64::try_from(list.number).is_err() {
        return Err(ImportError::Number(list.number));
    }
    if let Some(known) = revocations::newest(tx).await?
        && list.number <= known.number
    {
        if known.number == list.number && known.sealed == sealed {
            return Ok(Imported::Known(list));
        }
        return Err(ImportError::NotNewer { number: list.number, known: known.number });
    }
    let now = ports.now();
    let kept = SealedList { number: list.number, sealed: sealed.to_vec() };
    revocations::insert(tx, &kept, actor.id, now).await?;
    let keys = list.keys.iter().map(ToString::to_string).collect::<Vec<_>>();
    let is_own_revoked = own.is_some_and(|own| list.keys.contains(&own));
    let body = json!({
        "type": "revocations_imported",
        "number": list.number,
        "keys": keys.len(),
        "is_own_key_revoked": is_own_revoked,
    });
    events::push(tx, now, events::Topic::Attention, region, &body).await?;
    let object = format!("revocation_list:{}", list.number);
    let detail = json!({ "keys": keys, "at": list.at });
    audit::append(tx, now, actor, "import_revocations", &object, &detail).await?;
    Ok(Imported::New(list))
}

/// The newest list, opened: what is in the database is believed no more than what came by mail.
pub async fn newest(
    connection: &mut Conn,
    roots: &Roots,
) -> Result<Option<RevocationList>, StoreError> {
    let Some(kept) = revocations::newest(connection).await? else { return Ok(None) };
    trust::open_revocations(&kept.sealed, roots)
        .map(Some)
        .map_err(|_| StoreError::Inconsistent { table: "revocation_lists", column: "sealed" })
}

/// The regions on whose topics a list is kept retained: the dispatcher's own first, which every
/// terminal below it hears, then each region between it and a terminal.
pub fn topics(own: RegionCode, villages: &[RegionCode]) -> Vec<RegionCode> {
    let below = villages
        .iter()
        .flat_map(|village| village.lineage())
        .filter(|region| own.contains(*region) && *region != own)
        .collect::<BTreeSet<_>>();
    std::iter::once(own).chain(below).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use protocols::wire::SigningKey;

    use super::*;
    use crate::domain::keys::{next_list, seal_list};
    use crate::store::Db;

    const NOW: Timestamp = Timestamp::constant(1_780_000_000, 0);

    fn region(code: &str) -> RegionCode {
        code.parse().expect("a code")
    }

    #[test]
    fn a_list_goes_to_every_region_between_the_dispatcher_and_its_terminals() {
        let villages = [region("350212110201"), region("350212110202"), region("350213001001")];
        let town = topics(region("350212110000"), &villages);
        assert_eq!(town, ["350212110000", "350212110201", "350212110202"].map(region));
        let city = topics(region("350200000000"), &villages);
        assert_eq!(city[0], region("350200000000"));
        assert_eq!(city.len(), 1 + 2 + 2 + 3);
    }

    #[tokio::test]
    async fn either_roots_list_is_taken_in_once_and_never_an_older_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}/t.db", folder.path().display());
        let db = Db::open(&url, 2).await.expect("opened");
        let (ports, _) = Ports::fixed(NOW, 1);
        let [active, spare, stranger] = [1, 2, 3].map(|seed| SigningKey::from_seed(&[seed; 32]));
        let roots = Roots::new([active.verifying_key(), spare.verifying_key()]);
        let own = KeyId([9; 8]);
        let first = next_list(None, &[KeyId([7; 8])], NOW).expect("a list");
        let second = next_list(Some(&first), &[own], NOW).expect("a list");
        let take = async |sealed: Vec<u8>| {
            let mut tx = db.begin().await.expect("begun");
            let (actor, city) = (Actor::system(), region("350200000000"));
            let done = import(&mut tx, &ports, &actor, &sealed, &roots, city, Some(own)).await;
            tx.commit().await.expect("committed");
            done
        };
        let refused = take(seal_list(&stranger, &first)).await;
        assert!(matches!(refused, Err(ImportError::NotBelieved(_))));
        assert!(matches!(take(seal_list(&active, &first)).await, Ok(Imported::New(_))));
        assert!(matches!(take(seal_list(&active, &first)).await, Ok(Imported::Known(_))));
        let same_number = take(seal_list(&spare, &first)).await;
        assert!(matches!(same_number, Err(ImportError::NotNewer { number: 1, known: 1 })));
        assert!(matches!(take(seal_list(&spare, &second)).await, Ok(Imported::New(_))));
        let older = take(seal_list(&active, &first)).await;
        assert!(matches!(older, Err(ImportError::NotNewer { number: 1, known: 2 })));
        let mut read = db.read().await.expect("a connection");
        assert_eq!(newest(&mut read, &roots).await.expect("read"), Some(second));
        let others = Roots::new([stranger.verifying_key()]);
        assert!(newest(&mut read, &others).await.is_err(), "other roots are pinned now");
        let events = crate::store::events::newest(&mut read).await.expect("read");
        assert_eq!(events, 2, "one event an import");
    }
}
