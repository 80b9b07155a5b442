-- Additive. What stood in a pool's file when all of its codes were added: a start reads an unchanged one no further.
CREATE TABLE coupon_files (
    pool text PRIMARY KEY,
    digest bigint NOT NULL -- A hash of the file's bytes.
);
