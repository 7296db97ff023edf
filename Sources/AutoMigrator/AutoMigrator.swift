// AutoMigrator
