#include "runtime/publication_upkeep.hpp"

#include "journeys/ids.hpp"
#include "runtime/database_session.hpp"
#include "runtime/publication.hpp"
#include "schema/model_json.hpp"
#include "schema/reward_json.hpp"

namespace runtime {
namespace {

/// `files.rewards` and `files.models` under the names by which decisions know them.
void keep_learned(pqxx::work& work, const Files& files, const std::string& published_at) {
    const auto keep = [&](const char* kind, const std::string& version, const std::string& text) {
        work.exec_params("INSERT INTO learned_versions (kind, version, published_at, content) "
                         "VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                         kind, version, published_at, text);
    };
    if (files.rewards)
        if (const auto learned = schema::parse_rewards(*files.rewards))
            keep("rewards", journeys::version_text(learned->version), *files.rewards);
    if (files.models)
        if (const auto models = schema::parse_models(files.models->text))
            keep("models", journeys::to_hex(0, models->version).substr(16), files.models->text);
}

} // namespace

journeys::Result<std::vector<std::uint64_t>>
prune_learned(const std::string& conninfo, std::uint64_t in_force, journeys::Timestamp before) {
    DatabaseSession session{conninfo};
    return session.run([&](pqxx::work& work) {
        std::vector<std::uint64_t> pruned;
        const auto rows = work.exec_params(
            "WITH named AS (SELECT publication FROM progress UNION SELECT swept FROM progress "
            "UNION SELECT publication FROM publication_eras), "
            "written AS (SELECT publication, published_at, md5((content::jsonb - 'rewards' - "
            "'returned' - 'models' - 'models_name')::text) AS by_people FROM publications) "
            "SELECT w.publication, w.published_at, p.content FROM written w JOIN publications p "
            "USING (publication) WHERE w.published_at < to_timestamp($1::float8 / 1000) "
            "AND w.publication <> $2 AND w.publication NOT IN (SELECT publication FROM named) "
            "AND EXISTS (SELECT 1 FROM written n WHERE n.by_people = w.by_people AND "
            "(n.published_at, n.publication) > (w.published_at, w.publication)) "
            "ORDER BY w.published_at LIMIT 500",
            journeys::to_millis(before), static_cast<std::int64_t>(in_force));
        for (const auto& row : rows) {
            const auto publication = row[0].as<std::int64_t>();
            if (const auto files = files_from_text(row[2].as<std::string>()))
                keep_learned(work, *files, row[1].as<std::string>());
            work.exec_params("DELETE FROM publications WHERE publication = $1", publication);
            pruned.push_back(static_cast<std::uint64_t>(publication));
        }
        return pruned;
    });
}

} // namespace runtime
