/// Rows of `sojourn import` as messages: what the system before knew, in the words of the log.
#pragma once

#include "journeys/result.hpp"
#include "journeys/settings.hpp"
#include "journeys/time.hpp"
#include "schema/csv_reader.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace runtime {

/// Turns rows of one kind of table into Segment messages. An instance is for one table: it has
/// looked up the table's columns, and remembers of every order whose it is: about 50 bytes each.
class ImportRows {
public:
    virtual ~ImportRows() = default;
    /// Appends the messages of the current row to `out`, each followed by a comma, and says how
    /// many they are; or says what is wrong with the row. The same row gives the same messageIds,
    /// whatever stands around it.
    virtual journeys::Result<std::size_t> append(const schema::CsvReader& row,
                                                 std::string& out) = 0;
    /// What the row just appended says of an address, whoever it belongs to: a JSON object for
    /// `/admin/suppressions`; empty: nothing.
    virtual std::string_view suppression() const { return {}; }
};

/// `kind`: `orders`, `consent`, `suppressions` or `products`. `invalid_argument` where a column is
/// missing. `now`: a row of more than a day later is refused.
journeys::Result<std::unique_ptr<ImportRows>> open_import(std::string_view kind,
                                                          const schema::CsvReader& table,
                                                          const journeys::Settings& settings,
                                                          journeys::Timestamp now);

/// The columns of a kind, for `--help`.
std::string_view import_columns(std::string_view kind);

} // namespace runtime
