/// What each partition is applying, in a file that outlives the process however it ends.
///
/// A mapped file of the data folder, one slot a partition: noting is a few stores, and the kernel
/// keeps the bytes when the process is gone. The third unclean end in a row at the same mark makes
/// it poison, so that a crash loop ends.
#pragma once

#include "actors/shard.hpp"
#include "journeys/result.hpp"
#include "runtime/log.hpp"

#include <filesystem>
#include <memory>

namespace runtime {

class PoisonMarkFile final : public actors::PoisonMark {
public:
    /// Reads what the process before has left, and begins anew. A file that is none of ours, or of
    /// another count of partitions, is made anew.
    static journeys::Result<std::unique_ptr<PoisonMarkFile>> open(const std::filesystem::path& file,
                                                                  actors::Partition partitions);
    ~PoisonMarkFile() override;
    PoisonMarkFile(const PoisonMarkFile&) = delete;

    /// What was being applied at the last three ends of the process. Asked for once: should the
    /// process end there once more, it is poison again.
    const actors::Poison& poison() const { return poison_; }

    void applying(actors::Partition partition, std::uint64_t offset,
                  const journeys::CustomerId& customer) override;
    void done(actors::Partition partition) override;

private:
    struct Slot;
    PoisonMarkFile(Slot* slots, std::size_t bytes);
    void read(actors::Partition partition);

    Slot* slots_;
    std::size_t bytes_;
    actors::Poison poison_;
};

/// The marks of a service, in its data folder, which is made where it is missing. What is poison is
/// logged; so is a file that cannot be had, and then it is null.
std::unique_ptr<PoisonMarkFile> open_marks(const std::filesystem::path& folder,
                                           actors::Partition partitions, Log& log);

} // namespace runtime
