//! The list of regions: brought in as a whole, or not at all.

use protocols::region::{AliasTable, RegionCode, RegionLevel};

use crate::domain::regions::{
    AliasRow, ListFault, Region, RegionTree, XIAMEN_ALIASES, parse_aliases, parse_regions, xiamen,
};
use crate::store::{self, Conn, Db, StoreError, Tx};

/// The city whose list is shipped.
const SHIPPED_CITY: &str = "350200000000";

/// What an import changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Regions in the list.
    pub regions: usize,
    /// Regions that are new or not as they were.
    pub changed: usize,
    /// Regions that the list no longer has.
    pub removed: usize,
    /// Codes of the ministry.
    pub aliases: usize,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The lists themselves, or terminals that would lose their village.
    #[error("the list is refused: {} faults", .0.len())]
    Faults(Vec<ListFault>),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The two lists, read and checked. Without `list` the shipped one; without `aliases` the shipped
/// codes of those regions that are in the list, so that a newer list of the same city does not
/// lose its ambiguous codes.
pub fn read(
    list: Option<&[u8]>,
    aliases: Option<&[u8]>,
) -> Result<(Vec<Region>, Vec<AliasRow>), Vec<ListFault>> {
    let regions = match list {
        Some(text) => parse_regions(text)?,
        None => xiamen(),
    };
    let codes = || regions.iter().map(|region| region.code);
    if let Some(text) = aliases {
        let aliases = parse_aliases(text, codes())?;
        return Ok((regions, aliases));
    }
    let mut shipped = parse_aliases(XIAMEN_ALIASES.as_bytes(), xiamen().iter().map(|r| r.code))?;
    let known: std::collections::BTreeSet<RegionCode> = codes().collect();
    shipped.retain(|row| known.contains(&row.alias.region));
    Ok((regions, shipped))
}

/// Makes these lists the ones that count. Repeated with the same lists it changes nothing. A
/// region in which terminals stand can't be removed or made a pseudo-unit.
pub async fn import(
    tx: &mut Tx,
    regions: &[Region],
    aliases: &[AliasRow],
) -> Result<Imported, ImportError> {
    let old = store::regions::tree(tx).await?;
    let new = RegionTree::new(regions.iter().cloned());
    let mut imported =
        Imported { regions: regions.len(), aliases: aliases.len(), ..Imported::default() };
    let mut faults = Vec::new();
    for region in old.iter() {
        let is_gone = new.get(region.code).is_none_or(|new| region.is_target && !new.is_target);
        if is_gone && store::terminals::count_within(tx, region.code).await? > 0 {
            faults.push(in_use(region));
        }
    }
    if !faults.is_empty() {
        return Err(ImportError::Faults(faults));
    }
    for region in new.iter().filter(|region| old.get(region.code) != Some(*region)) {
        store::regions::put(tx, region).await?;
        imported.changed += 1;
    }
    for region in old.iter().filter(|region| new.get(region.code).is_none()) {
        store::regions::delete(tx, region.code).await?;
        imported.removed += 1;
    }
    if store::regions::aliases(tx).await? != sorted(aliases) {
        store::regions::delete_aliases(tx).await?;
        for alias in aliases {
            store::regions::insert_alias(tx, alias).await?;
        }
    }
    if imported.changed + imported.removed > 0 {
        store::regions::raise_revision(tx).await?;
    }
    Ok(imported)
}

/// Brings in the shipped list where there is none yet and `region`, the dispatcher's own, is of
/// the shipped city. Whether it did.
pub async fn seed(db: &Db, region: RegionCode) -> Result<bool, ImportError> {
    let is_shipped =
        region.at(RegionLevel::City).is_some_and(|city| city.to_string() == SHIPPED_CITY);
    let mut tx = db.begin().await?;
    if !is_shipped || store::regions::count(&mut tx).await? > 0 {
        return Ok(false);
    }
    let (regions, aliases) = read(None, None).map_err(ImportError::Faults)?;
    import(&mut tx, &regions, &aliases).await?;
    tx.commit().await?;
    Ok(true)
}

/// Both lists side by side, as codes in CAP are resolved by them.
pub async fn alias_table(connection: &mut Conn) -> Result<AliasTable, StoreError> {
    let tree = store::regions::tree(connection).await?;
    let mut table = AliasTable::new(tree.iter().map(|region| region.code));
    for row in store::regions::aliases(connection).await? {
        let inconsistent = StoreError::Inconsistent { table: "region_aliases", column: "code" };
        table.add(row.alias).map_err(|_| inconsistent)?;
    }
    Ok(table)
}

fn sorted(aliases: &[AliasRow]) -> Vec<AliasRow> {
    let mut aliases = aliases.to_vec();
    aliases.sort_by_key(|row| (row.alias.code, row.alias.valid_from));
    aliases
}

fn in_use(region: &Region) -> ListFault {
    ListFault {
        line: 0,
        field: "code".to_owned(),
        reason_zh: format!("{} {} 仍有终端，不能移除或改为虚拟单位", region.code, region.name),
        reason_en: format!(
            "terminals stand in {} {}: it can't be removed or made a pseudo-unit",
            region.code, region.name
        ),
    }
}
