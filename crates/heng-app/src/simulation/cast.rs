//! Invented people and firms, plainly marked as such, and the office they work in.

use std::collections::BTreeMap;
use std::sync::Arc;

use heng_domain::edition::events::Cite;
use heng_domain::office::events::{
    Event, FirstOfficer, KeyConfirmed, KeyEnrolled, OfficeFounded, OfficeRole, OrganisationRegistered,
    PersonRegistered, RoleGranted,
};
use heng_domain::rules::Level;
use heng_domain::text::Text;
use heng_domain::uscc;
use jiff::civil::{Date, date};
use serde_json::json;

use super::{DeviceKey, drafts_for, submit};
use crate::draft::Draft;
use crate::error::{AppError, Result};
use crate::heng::Heng;
use crate::log::Log;

/// An invented person with a key.
pub struct Actor {
    /// Person.
    pub id: String,
    /// Name.
    pub name: String,
    /// Role in the office.
    pub role: OfficeRole,
    /// What the person signs with.
    pub key: DeviceKey,
    /// The office log's record in which the key was confirmed.
    pub cite: Cite,
}

/// An invented firm.
pub struct Firm {
    /// Organisation.
    pub id: String,
    /// As registered.
    pub body: OrganisationRegistered,
    /// The office log's record.
    pub cite: Cite,
}

/// Everybody of an invented office.
pub struct Cast {
    /// The office log.
    pub office: Arc<Log>,
    /// People.
    pub actors: Vec<Actor>,
    /// Firms.
    pub firms: Vec<Firm>,
    /// Seed of all keys.
    pub seed: u64,
    /// The relying party of the experts' passkeys; without it they have keys in files.
    pub passkeys: Option<String>,
}

/// How many of each.
#[derive(Clone, Copy, Debug)]
pub struct Numbers {
    /// Firms.
    pub firms: usize,
    /// Experts.
    pub experts: usize,
    /// Members of committees, the chair among them.
    pub members: usize,
}

/// Counties of the invented city.
pub const COUNTIES: [(&str, &str); 6] = [
    ("东岸区", "Dong'an District"),
    ("西屏县", "Xiping County"),
    ("南麓县", "Nanlu County"),
    ("北渡县", "Beidu County"),
    ("中洲县", "Zhongzhou County"),
    ("新垣县", "Xinyuan County"),
];

const SURNAMES: [&str; 20] = [
    "赵", "钱", "孙", "李", "周", "吴", "郑", "王", "冯", "陈", "卫", "蒋", "沈", "韩", "杨", "朱", "秦", "许", "何",
    "吕",
];

const WORDS: [(&str, &str); 24] = [
    ("晨光", "Chenguang"),
    ("远帆", "Yuanfan"),
    ("青禾", "Qinghe"),
    ("明泉", "Mingquan"),
    ("启衡", "Qiheng"),
    ("云桥", "Yunqiao"),
    ("松石", "Songshi"),
    ("锦程", "Jincheng"),
    ("和润", "Herun"),
    ("铭川", "Mingchuan"),
    ("立方", "Lifang"),
    ("嘉木", "Jiamu"),
    ("凌霄", "Lingxiao"),
    ("沐阳", "Muyang"),
    ("恒信", "Hengxin"),
    ("瑞麦", "Ruimai"),
    ("海棠", "Haitang"),
    ("博远", "Boyuan"),
    ("知行", "Zhixing"),
    ("临风", "Linfeng"),
    ("碧野", "Biye"),
    ("子衿", "Zijin"),
    ("南星", "Nanxing"),
    ("拾穗", "Shisui"),
];

/// Sectors: name, English, stratum of the draw.
pub const SECTORS: [(&str, &str, &str); 6] = [
    ("机械", "Machinery", "manufacturing"),
    ("食品", "Foods", "manufacturing"),
    ("新能源", "New Energy", "manufacturing"),
    ("建材", "Building Materials", "manufacturing"),
    ("物流", "Logistics", "service"),
    ("文旅", "Tourism", "service"),
];

/// The stratum of a sector.
pub fn stratum(sector: &str) -> &'static str {
    SECTORS.iter().find(|(zh, _, _)| *zh == sector).map_or("manufacturing", |(_, _, stratum)| stratum)
}

/// An invented person's name: a surname, 示 (“for demonstration”) and a number.
pub fn person_name(index: usize) -> String {
    const DIGITS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    let surname = SURNAMES[index % SURNAMES.len()];
    let number = index / SURNAMES.len();
    if number == 0 {
        format!("{surname}示{}", DIGITS[(index % 9) + 1])
    } else {
        format!("{surname}示{}{}", DIGITS[number % 10], DIGITS[index % 10])
    }
}

fn code_of(index: usize) -> Result<String> {
    let first17 = format!("91990000MA{index:07}");
    let check = uscc::check_character(&first17).ok_or_else(|| AppError::Other("no check character".to_owned()))?;
    Ok(format!("{first17}{check}"))
}

impl Cast {
    /// Founds an invented office and registers everybody.
    ///
    /// # Errors
    /// If the office refuses something, which would be a defect of the simulation.
    pub fn found(
        heng: &Heng,
        log: &str,
        name: Text,
        level: Level,
        numbers: Numbers,
        seed: u64,
        demo: bool,
    ) -> Result<Cast> {
        let office = heng.create_log(log, "office")?;
        let actor = |(index, id, role): (usize, String, OfficeRole)| -> Result<Actor> {
            Ok(Actor {
                name: person_name(index),
                key: DeviceKey::of(seed, &id)?,
                role,
                cite: Cite { leaf: Default::default(), log: log.to_owned(), seq: 0 },
                id,
            })
        };
        let mut actors: Vec<Actor> = vec![
            actor((0, "p:0001".to_owned(), OfficeRole::Officer))?,
            actor((1, "p:0002".to_owned(), OfficeRole::Officer))?,
        ];
        let founded = OfficeFounded {
            demo,
            level,
            name,
            officers: actors
                .iter()
                .map(|a| FirstOfficer { key: a.key.public(), name: a.name.clone(), person: a.id.clone() })
                .collect(),
            utc_offset_minutes: 480,
        };
        let mut draft = office_draft("p:0001", "办公室设立", founded)?;
        for first in &actors {
            draft = first.key.sign(draft, office.id(), &first.id, office.anchor())?;
        }
        let accepted = office.submit(draft)?;
        for first in &mut actors {
            first.cite.leaf = accepted.leaf;
        }
        let rest = [
            (2, "p:0003".to_owned(), OfficeRole::Supervisor),
            (3, "p:0004".to_owned(), OfficeRole::Counter),
            (4, "p:0005".to_owned(), OfficeRole::Counter),
            (5, "p:0006".to_owned(), OfficeRole::Authority),
            (6, "p:0010".to_owned(), OfficeRole::Chair),
        ];
        let members = (1..numbers.members).map(|i| (6 + i, format!("p:{:04}", 10 + i), OfficeRole::Member));
        let recommenders = (0..COUNTIES.len()).map(|i| (60 + i, format!("p:{:04}", 100 + i), OfficeRole::Recommender));
        let experts = (0..numbers.experts).map(|i| (80 + i, format!("p:{:04}", 200 + i), OfficeRole::Expert));
        let all = rest.into_iter().chain(members).chain(recommenders).chain(experts);
        actors.extend(all.map(actor).collect::<Result<Vec<_>>>()?);
        // A body recommends, not a person: it has a public name.
        let bodies = actors.iter_mut().filter(|actor| actor.role == OfficeRole::Recommender);
        for (body, (county, _)) in bodies.zip(COUNTIES) {
            body.name = format!("{county}市场监督管理局（示例）");
        }
        let mut cast = Cast { office, actors, firms: Vec::new(), seed, passkeys: None };
        cast.register_people(heng)?;
        cast.register_firms(numbers.firms)?;
        Ok(cast)
    }

    fn register_people(&mut self, heng: &Heng) -> Result<()> {
        let newcomers = 2..self.actors.len();
        let basis = "人员登记";
        let mut batch = Vec::new();
        for person in &self.actors[newcomers.clone()] {
            // Experts' names are not public.
            let hidden = person.role == OfficeRole::Expert;
            let body = PersonRegistered { name: (!hidden).then(|| person.name.clone()), person: person.id.clone() };
            let mut draft = office_draft("p:0001", basis, body)?;
            if hidden {
                draft = draft.hiding(heng.random()?, BTreeMap::from([("/name".to_owned(), json!(person.name))]));
            }
            batch.push(self.signed(draft, &["p:0001"])?);
        }
        submit(&self.office, batch)?;
        let mut batch = Vec::new();
        for person in &self.actors[newcomers.clone()] {
            let body = KeyEnrolled { key: person.key.public(), person: person.id.clone() };
            batch.push(self.signed(office_draft("p:0001", basis, body)?, &["p:0001", "p:0002"])?);
            let term = RoleGranted {
                from: date(2025, 1, 1),
                person: person.id.clone(),
                role: person.role,
                until: Date::MAX.with().year(2029).build().unwrap_or(Date::MAX),
            };
            batch.push(self.signed(office_draft("p:0001", basis, term)?, &["p:0001", "p:0002"])?);
        }
        submit(&self.office, batch)?;
        let mut batch = Vec::new();
        for person in &self.actors[newcomers.clone()] {
            let body = KeyConfirmed { key: person.key.public().fingerprint(), person: person.id.clone() };
            batch.push(self.signed(office_draft(&person.id, basis, body)?, &[person.id.as_str()])?);
        }
        let accepted = submit(&self.office, batch)?;
        for (person, accepted) in self.actors[newcomers].iter_mut().zip(accepted) {
            person.cite = Cite { leaf: accepted.leaf, log: self.office.id().to_owned(), seq: accepted.record.seq };
        }
        Ok(())
    }

    fn register_firms(&mut self, count: usize) -> Result<()> {
        let mut bodies = Vec::new();
        for index in 0..count {
            let (zh, en) = WORDS[index % WORDS.len()];
            let (sector, sector_en, _) = SECTORS[(index * 5 + index / WORDS.len()) % SECTORS.len()];
            let (county, county_en) = COUNTIES[index % COUNTIES.len()];
            let round = index / WORDS.len();
            let number = if round == 0 { String::new() } else { format!("{}", round + 1) };
            bodies.push(OrganisationRegistered {
                county: Text::new(county, county_en),
                groups: if index % 3 == 1 { vec!["srdi".to_owned()] } else { Vec::new() },
                name: Text::new(
                    format!("云川{zh}{sector}{number}有限公司（示例）"),
                    format!(
                        "Yunchuan {en} {sector_en}{} Co., Ltd (invented)",
                        if round == 0 { String::new() } else { format!(" {number}") }
                    ),
                ),
                organisation: format!("o:{:04}", index + 1),
                sector: Text::new(sector, sector_en),
                source: None,
                uscc: Some(code_of(index + 1)?),
            });
        }
        let mut batch = Vec::new();
        for body in &bodies {
            batch.push(self.signed(office_draft("p:0001", "单位登记", body.clone())?, &["p:0001"])?);
        }
        let accepted = submit(&self.office, batch)?;
        for (body, accepted) in bodies.into_iter().zip(accepted) {
            let cite = Cite { leaf: accepted.leaf, log: self.office.id().to_owned(), seq: accepted.record.seq };
            self.firms.push(Firm { id: body.organisation.clone(), body, cite });
        }
        Ok(())
    }

    /// Signs an office draft on behalf of the devices of `by`.
    ///
    /// # Errors
    /// If one of them is not of the cast.
    pub fn signed(&self, draft: Draft, by: &[&str]) -> Result<Draft> {
        let anchor = self.office.anchor();
        by.iter().try_fold(draft, |draft, id| self.actor(id)?.key.sign(draft, self.office.id(), id, anchor.clone()))
    }

    /// The person called `id`.
    ///
    /// # Errors
    /// If there is none.
    pub fn actor(&self, id: &str) -> Result<&Actor> {
        self.actors.iter().find(|a| a.id == id).ok_or_else(|| AppError::Other(format!("nobody is called {id}")))
    }

    /// Everybody with `role`.
    pub fn with_role(&self, role: OfficeRole) -> impl Iterator<Item = &Actor> {
        self.actors.iter().filter(move |a| a.role == role)
    }
}

/// An unsigned office draft.
///
/// # Errors
/// If the event cannot be written.
pub fn office_draft(actor: &str, basis: &str, event: impl Into<Event>) -> Result<Draft> {
    drafts_for(actor, basis, event.into().split())
}
