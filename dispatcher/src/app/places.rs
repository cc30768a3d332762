//! Regions and enrolled terminals in memory, as targeting needs them; read again when either
//! changed, whoever changed it.

use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::regions::RegionTree;
use crate::domain::targeting::{PlaceTable, TerminalIndex};
use crate::store::{self, Conn, StoreError};

/// Regions and terminals of one revision.
#[derive(Debug, Default)]
pub struct Places {
    /// The list of regions.
    pub tree: RegionTree,
    /// The enrolled terminals.
    pub terminals: TerminalIndex,
    revision: i64,
}

impl Places {
    /// What [`crate::domain::targeting::resolve`] asks for.
    pub fn table(&self) -> PlaceTable<'_> {
        PlaceTable { tree: &self.tree, terminals: &self.terminals }
    }

    /// Reads both.
    pub async fn load(connection: &mut Conn) -> Result<Self, StoreError> {
        let revision = store::regions::revision(connection).await?;
        let tree = store::regions::tree(connection).await?;
        let terminals = store::terminals::places(connection).await?;
        let terminals = TerminalIndex::build(terminals, &tree);
        Ok(Self { tree, terminals, revision })
    }
}

/// The newest [`Places`]: one index at a time, so memory is bounded by the number of terminals.
#[derive(Debug, Default)]
pub struct PlaceCache(Mutex<Arc<Places>>);

impl PlaceCache {
    /// The places of the revision that `connection` sees. Call it in a transaction *before*
    /// changing regions or terminals there: what is rolled back must not be remembered.
    pub async fn current(&self, connection: &mut Conn) -> Result<Arc<Places>, StoreError> {
        let revision = store::regions::revision(connection).await?;
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // The first revision in the database is 1, so an empty cache is never current.
        if held.revision == revision {
            return Ok(held);
        }
        let fresh = Arc::new(Places::load(connection).await?);
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.revision < fresh.revision {
            *held = fresh.clone();
        }
        Ok(fresh)
    }
}
