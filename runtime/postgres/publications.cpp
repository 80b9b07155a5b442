#include "runtime/postgres/publications.hpp"

namespace runtime {

using journeys::Result;

Result<void> save_publication(Connection& connection, std::uint64_t publication,
                              journeys::Timestamp published_at, std::string_view content) {
    SqlParams params;
    params.add(publication).add(published_at).add_text(content);
    auto saved = connection.run("INSERT INTO publications (publication, published_at, content) "
                                "VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                                params);
    if (!saved) return saved.error();
    return {};
}

Result<std::optional<std::string>> load_publication(Connection& connection,
                                                    std::uint64_t publication) {
    SqlParams params;
    params.add(publication);
    auto rows = connection.run("SELECT content FROM publications WHERE publication = $1", params);
    if (!rows) return rows.error();
    if (rows->empty()) return std::optional<std::string>{};
    return std::optional<std::string>{std::string{rows->bytes(0, 0)}};
}

} // namespace runtime
