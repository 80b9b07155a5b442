/// Who is interested in which product, in the memory of the service: heard from the log, and begun
/// from the snapshots.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/interest_index.hpp"
#include "journeys/record.hpp"
#include "runtime/log.hpp"

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace runtime {

/// For any thread.
class InterestDesk {
public:
    InterestDesk(std::string conninfo, Log& log) : conninfo_(std::move(conninfo)), log_(log) {}
    ~InterestDesk() { stop(); }
    /// Reads nothing any more. Before the database goes.
    void stop();

    /// From here on what this publication's journeys call interest is noted; true where something
    /// of it was not until now.
    bool listen(const journeys::Catalog& catalog);
    /// When every partition is ours: what was before is read from the snapshots. Until then, and
    /// until that is done, `interested_in` knows nothing. Returns at once.
    void begin(journeys::CatalogPtr catalog);
    /// Another publication: what is new is read in the same way.
    void use(journeys::CatalogPtr catalog);
    /// Records of a partition, before their customers have them.
    void received(const std::vector<journeys::RecordPtr>& records);
    /// Those who may be interested, in the order of their ids as text; nothing while the snapshots
    /// are being read.
    std::optional<std::vector<std::string>> interested_in(std::string_view product);

private:
    void read_snapshots(const journeys::CatalogPtr& catalog);

    const std::string conninfo_;
    Log& log_;
    std::atomic<bool> stopping_{false}, listens_{false};
    std::mutex mutex_;
    // Guarded by `mutex_`:
    std::set<std::string, std::less<>> names_;
    journeys::InterestIndex index_;
    int unread_ = 1; ///< How often the snapshots are still to be read.

    boost::asio::thread_pool worker_{1}; ///< Last: it uses all the others.
};

} // namespace runtime
