//! The table as people and programs read it.

use fedgate_certs::Timestamp;
use fedgate_certs::forecast::{Forecast, Kind, Outlook};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use crate::management::words;

/// Something that ends, and what will come of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ForecastRow {
    /// Names it among all, for good.
    #[schema(example = "conn_0192b194f6156fb7452fe38cfb144958:client_secret")]
    id: String,
    #[schema(schema_with = kind_schema)]
    kind: &'static str,
    /// The connection that it belongs to.
    connection_id: Option<String>,
    /// What people recognize it by.
    name: String,
    /// The end that it names itself; RFC 3339.
    not_after: Option<String>,
    #[schema(schema_with = outlook_schema)]
    outlook: &'static str,
    /// From when on people can probably not sign in, if nobody acts; RFC 3339.
    outage_at: Option<String>,
    /// Whole days until then; below nought once it is there.
    days_to_outage: Option<i64>,
    /// About when it is replaced; RFC 3339.
    next_about: Option<String>,
    /// About how often it is replaced.
    every_days: Option<i64>,
    /// The same for people.
    note: String,
}

impl ForecastRow {
    pub(crate) fn of(forecast: &Forecast, now: Timestamp) -> Self {
        let moment = |at: Option<Timestamp>| at.map(|at| format!("{at:.0}"));
        Self {
            id: forecast.fact.id.clone(),
            kind: forecast.fact.kind.as_str(),
            connection_id: forecast.fact.connection.clone(),
            name: forecast.fact.name.clone(),
            not_after: moment(forecast.fact.ends_at),
            outlook: forecast.outlook.as_str(),
            outage_at: moment(forecast.outage_at),
            days_to_outage: forecast.days(now),
            next_about: moment(forecast.next_at),
            every_days: forecast.every_days,
            note: note(forecast),
        }
    }
}

fn note(forecast: &Forecast) -> String {
    let mut note = forecast.outlook.says().to_owned();
    if let (Some(days), Some(next)) = (forecast.every_days, forecast.next_at) {
        let often = match days {
            350..=380 => "yearly".to_owned(),
            _ => format!("about every {days} days"),
        };
        let day = next.to_string();
        let day = day.split('T').next().unwrap_or_default();
        note = format!("this identity provider rolls {often}, next about {day}; {note}");
    }
    note
}

/// The table as text, a row a line.
pub(crate) fn table(forecasts: &[Forecast], now: Timestamp) -> String {
    let mut text = String::from("DAYS\tOUTAGE\tKIND\tCONNECTION\tNAME\tNOTE\n");
    for forecast in forecasts {
        let row = ForecastRow::of(forecast, now);
        let days = row.days_to_outage.map(|days| days.to_string());
        let cells = [
            days.as_deref(),
            row.outage_at.as_deref(),
            Some(row.kind),
            row.connection_id.as_deref(),
            Some(row.name.as_str()),
            Some(row.note.as_str()),
        ];
        // What identity providers call themselves ends no line and begins no column.
        let shown = cells.map(|cell| cell.unwrap_or("-").replace(char::is_control, " "));
        text.push_str(&shown.join("\t"));
        text.push('\n');
    }
    text
}

fn kind_schema() -> Object {
    words(Kind::ALL.map(Kind::as_str))
}

fn outlook_schema() -> Object {
    words(Outlook::ALL.map(Outlook::as_str))
}
