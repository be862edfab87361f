"""The parts of MLS (RFC 9420) that a delivery service needs: parsing and signatures, never decryption."""
